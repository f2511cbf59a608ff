import { seededRandom } from './seeded-random.ts'

/** A request body, and where in it the digits stand that make each request a different one. */
export interface AgentBody {
  readonly bytes: Buffer
  readonly stampAt: number
}

/** What a body is made for. */
export interface AgentBodyOptions {
  readonly bytes: number
  readonly stream: boolean
  readonly seed: number
}

/** Digits of the stamp; the last thing of the last message. */
export const stampLength = 12

const systemShare = 0.25
const toolShare = 0.2

/**
 * A chat request like those of a coding agent, exactly `bytes` long: a quarter system prompt, a fifth
 * tool schemas, the rest history with tool calls and their results, with escapes and a few percent
 * of words that are not ASCII. The same options give the same bytes.
 * @throws RangeError below 1,000 bytes, which cannot hold all of that
 * @example const { bytes } = agentBody({ bytes: 20 * 1024, stream: false, seed: 1 })
 */
export function agentBody(options: AgentBodyOptions): AgentBody {
  if (options.bytes < 1000) throw new RangeError(`a body of ${options.bytes} bytes; the least is 1000`)
  const write = new Writer(options.seed, Math.min(1500, Math.max(40, options.bytes / 30)))
  const tools = write.tools(options.bytes * toolShare)
  const opening = [{ role: 'system', content: write.prose(options.bytes * systemShare) }]
  const history = write.history(options.bytes - sizeOf(body(options.stream, tools, opening, '')))
  const missing = options.bytes - sizeOf(body(options.stream, tools, [...opening, ...history], ''))
  const bytes = Buffer.from(
    JSON.stringify(body(options.stream, tools, [...opening, ...history], '. '.repeat(missing).slice(0, missing))),
  )
  return { bytes, stampAt: bytes.length - stampLength - '"}]}'.length }
}

/**
 * Writes the number of a request over the stamp of its body.
 * @example stamp(bytes, stampAt, 17)
 */
export function stamp(bytes: Buffer, stampAt: number, number: number): void {
  bytes.write(String(number).padStart(stampLength, '0'), stampAt, 'latin1')
}

// Messages come last, so that the stamp is at the very end.
function body(stream: boolean, tools: readonly object[], messages: readonly object[], filler: string): object {
  return {
    model: 'mock-large',
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    temperature: 0,
    tools,
    messages: [...messages, { role: 'user', content: `${filler}${'0'.repeat(stampLength)}` }],
  }
}

const words =
  'the file returns value of each request when test fails because path was not found in index and then we read lines from module before change import type into function call result expected error state user message session cache token stream under load after commit'.split(
    ' ',
  )
const foreignWords = ['größer', 'déjà', 'naïve', '配置', 'ошибка', '→', 'señal', '検索', 'œuvre', '✅']
const foreignShare = 0.03
const codeLines = [
  'const found = index.get("key\\n") ?? fallback',
  '\tif (line.trim() === \'\') return { kind: "empty" }',
  'expect(read("a\\tb")).toEqual(["a", "b"])',
  '  "path": "C:\\\\work\\\\src\\\\main.ts",',
  '} catch (error) { throw new Error(`no ${name}`, { cause: error }) }',
]
const toolNames = ['read_file', 'write_file', 'run_command', 'search_text', 'list_folder']

class Writer {
  readonly #random: () => number
  readonly #textBytes: number
  #calls = 0

  constructor(seed: number, textBytes: number) {
    this.#random = seededRandom(seed)
    this.#textBytes = textBytes
  }

  /** Words of about `bytes` bytes as JSON. */
  prose(bytes: number): string {
    const text: string[] = []
    for (let size = 0; size < bytes;) {
      const word = this.#random() < foreignShare ? this.#pick(foreignWords) : this.#pick(words)
      const separator = this.#random() < 0.02 ? '.\n\n' : ' '
      text.push(word, separator)
      size += Buffer.byteLength(word) + (separator === ' ' ? 1 : 5)
    }
    return text.join('')
  }

  /** At least one tool, as many as fit. */
  tools(bytes: number): object[] {
    const tools = [this.#tool(0, Math.min(bytes, 900))]
    let size = sizeOf(tools)
    for (;;) {
      const tool = this.#tool(tools.length, 900)
      size += sizeOf(tool) + 1
      if (size > bytes) return tools
      tools.push(tool)
    }
  }

  /** Turns of an agent, as many as fit. */
  history(bytes: number): object[] {
    const messages: object[] = []
    let size = 0
    for (;;) {
      const turn = this.#turn()
      size += sizeOf(turn) - 1 // its brackets go, a comma comes
      if (size > bytes) return messages
      messages.push(...turn)
    }
  }

  #turn(): object[] {
    const id = `call_${String(++this.#calls).padStart(8, '0')}`
    const name = this.#pick(toolNames)
    const call = { path: `src/${this.#pick(words)}/${this.#pick(words)}.ts`, note: this.prose(this.#textBytes / 8) }
    const turn: object[] = [
      {
        role: 'assistant',
        content: this.prose(this.#textBytes / 2),
        tool_calls: [{ id, type: 'function', function: { name, arguments: JSON.stringify(call) } }],
      },
      { role: 'tool', tool_call_id: id, content: this.#code() },
    ]
    if (this.#random() < 0.2) turn.push({ role: 'user', content: this.prose(this.#textBytes / 3) })
    return turn
  }

  #code(): string {
    const lines: string[] = []
    for (let size = 0; size < this.#textBytes;) {
      const line = this.#random() < 0.3 ? `// ${this.prose(30)}` : this.#pick(codeLines)
      lines.push(line)
      size += sizeOf(line)
    }
    return lines.join('\n')
  }

  #tool(index: number, bytes: number): object {
    const name = index < toolNames.length ? toolNames[index] : `${toolNames[index % toolNames.length]}_${index}`
    const properties: Record<string, object> = {}
    const tool = {
      type: 'function',
      function: { name, description: '', parameters: { type: 'object', properties, required: ['path'] } },
    }
    for (const key of ['path', 'pattern', 'limit', 'mode']) {
      const property = { type: 'string', description: this.prose(bytes / 8) }
      if (sizeOf(tool) + sizeOf(property) > bytes && key !== 'path') break
      properties[key] = property
    }
    tool.function.description = this.prose(Math.max(0, bytes - sizeOf(tool) - 10))
    return tool
  }

  #pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[Math.floor(this.#random() * choices.length)] as Choice // the index is below the length
  }
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
