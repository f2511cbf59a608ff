import { inAnyOrder } from '../in-any-order.ts'
import type { JsonObject } from '../json.ts'
import { given, listOf, objectOf, textOf } from '../json.ts'
import { TokenSequence } from '../token-sequence.ts'

/** A chat prompt as tokens, with the places where caches may have entries. */
export interface ChatPrompt {
  readonly sequence: TokenSequence
  /** Ends of messages up to which an implicit cache may store. */
  readonly endings: readonly number[]
  /** The end of the first developer or system messages. */
  readonly developerEnd: number | undefined
  /** Ends of the content parts that carry a breakpoint. */
  readonly breakpoints: readonly number[]
}

export interface ChatPromptOptions {
  readonly imageTokens: (detail: string) => number
  readonly attachmentTokens: number
}

/** Collects a prompt in the order in which a model reads it. */
export class ChatPromptBuilder {
  readonly sequence: TokenSequence = new TokenSequence()
  readonly #options: ChatPromptOptions
  readonly #endings: number[] = []
  readonly #breakpoints: number[] = []
  #developerEnd: number | undefined
  #opening = true
  #toolEnd: number | undefined

  constructor(options: ChatPromptOptions) {
    this.#options = options
  }

  /** What stands before the messages: tools, schemas, switches that the model sees. */
  preamble(label: string, value: unknown): void {
    if (given(value)) this.sequence.add(label, JSON.stringify(value))
  }

  /** Tool definitions: the order of tools and of what is inside a schema counts, that of members around it does not. */
  tools(tools: unknown): void {
    for (const tool of listOf(tools).map(objectOf)) {
      const { function: nested, ...rest } = tool
      this.sequence.add('tool', inAnyOrder({ ...rest, ...objectOf(nested) }))
    }
  }

  /** Begins a message; `end` has to follow. */
  begin(role: string): void {
    if (role !== 'tool') this.#closeTools()
    if (role !== 'system' && role !== 'developer') this.#opening = false
    this.sequence.add('message', role)
  }

  end(role: string): void {
    const at = this.sequence.length
    if (role === 'user') this.#endings.push(at)
    if (role === 'tool') this.#toolEnd = at
    if (this.#opening) this.#developerEnd = at
  }

  text(label: string, text: string): void {
    this.sequence.add(label, text)
  }

  /** One part of a message's content, in the shape of either OpenAI dialect. */
  part(part: JsonObject): void {
    const type = textOf(part['type']) ?? ''
    const image = objectOf(part['image_url'])
    if (/image|screenshot/.test(type)) {
      const detail = textOf(image['detail']) ?? textOf(part['detail']) ?? 'auto'
      const url = textOf(image['url']) ?? textOf(part['image_url']) ?? textOf(part['file_id']) ?? ''
      this.sequence.addWhole(type, `${detail} ${url}`, this.#options.imageTokens(detail))
    } else if (/audio|file|video/.test(type)) {
      const { prompt_cache_breakpoint: _mark, ...rest } = part
      this.sequence.addWhole(type, JSON.stringify(rest), this.#options.attachmentTokens)
    } else {
      this.sequence.add('text', textOf(part['text']) ?? textOf(part['refusal']) ?? '')
    }
    if (given(part['prompt_cache_breakpoint'])) this.#breakpoints.push(this.sequence.length)
  }

  content(content: unknown): void {
    if (typeof content === 'string') this.text('text', content)
    else for (const part of listOf(content)) this.part(objectOf(part))
  }

  build(): ChatPrompt {
    this.#closeTools()
    const developerEnd = this.#developerEnd
    const endings = developerEnd === undefined ? this.#endings : [developerEnd, ...this.#endings]
    return {
      sequence: this.sequence,
      endings: [...endings].sort((a, b) => a - b),
      developerEnd,
      breakpoints: this.#breakpoints,
    }
  }

  /** Of several results in a row only the end of the last one is an ending. */
  #closeTools(): void {
    if (this.#toolEnd !== undefined) this.#endings.push(this.#toolEnd)
    this.#toolEnd = undefined
  }
}

/** The prompt of a Chat Completions body. */
export function chatPrompt(body: JsonObject, options: ChatPromptOptions): ChatPrompt {
  const builder = new ChatPromptBuilder(options)
  builder.tools(body['tools'])
  if (body['parallel_tool_calls'] === false) builder.preamble('parallel_tool_calls', false)
  const format = objectOf(body['response_format'])
  if (format['type'] !== undefined && format['type'] !== 'text') builder.preamble('response_format', format)
  for (const message of listOf(body['messages']).map(objectOf)) {
    const role = textOf(message['role']) ?? 'user'
    builder.begin(role)
    if (given(message['name'])) builder.text('name', String(message['name']))
    if (given(message['tool_call_id'])) builder.text('tool_call_id', String(message['tool_call_id']))
    builder.content(message['content'])
    if (given(message['reasoning_content'])) builder.text('reasoning', String(message['reasoning_content']))
    for (const call of listOf(message['tool_calls']).map(objectOf)) {
      const called = objectOf(call['function'])
      builder.text('tool_call', `${String(call['id'])} ${String(called['name'])} ${String(called['arguments'])}`)
    }
    builder.end(role)
  }
  return builder.build()
}
