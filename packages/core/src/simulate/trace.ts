import { TraceError } from './trace-error.ts'

/** A request of a trace: the opening of its prompt as ids of blocks. Equal ids after equal ids = equal prefix. */
export interface TraceRequest {
  /** Tokens of a full block of this trace. */
  readonly blockTokens: number
  readonly blocks: readonly number[]
  /** Tokens of the prompt; the last block may be less than full, or the prompt longer than its blocks. */
  readonly inputTokens: number
  /** Milliseconds since the trace began. */
  readonly at: number
  readonly session: string | undefined
  /** The answer ended the turn, so that a person goes on; `undefined` where the trace does not say. */
  readonly turnOver: boolean | undefined
}

/** A request has fewer blocks than this: a wrong count must not fill the memory. */
export const maxBlocks = 4_000_000

type Row = Readonly<Record<string, unknown>>

interface TraceFormat {
  readonly name: string
  readonly blockTokens: number
  readonly field: string
  readonly expected: string
  readonly blocks: (value: unknown) => number[] | string
  /** Each token of the prompt is in a block. */
  readonly whole: boolean
}

const formats: readonly TraceFormat[] = [
  {
    name: 'mooncake',
    blockTokens: 512,
    field: 'hash_ids',
    expected: 'a list of block ids',
    blocks: (value) =>
      Array.isArray(value) && value.every(isCount) ? value : 'hash_ids must be a list of whole numbers',
    whole: true,
  },
  {
    name: 'agentcode',
    blockTokens: 64,
    field: 'runs',
    expected: 'runs of block ids',
    blocks: expandRuns,
    whole: false,
  },
]

/**
 * Reads a trace, one JSON object per line: `{timestamp, input_length, hash_ids}` with blocks of 512 tokens
 * (mooncake) or `{session, timestamp, input_length, runs, stop}` with blocks of 64 (agentcode). The first line says which.
 * Empty lines are passed over.
 *
 * @throws TraceError at the first line that is something else, or when there is none
 * @example for await (const request of readTrace(textLines(file))) simulation.step(request)
 */
export async function* readTrace(lines: AsyncIterable<string>): AsyncGenerator<TraceRequest> {
  let format: TraceFormat | undefined
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const row = parseRow(line, number)
    format ??= detectFormat(row, number)
    yield requestOf(row, format, number)
  }
  if (format === undefined) throw new TraceError('the trace has no line that is not empty')
}

function parseRow(line: string, number: number): Row {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new TraceError(`line ${number} is not JSON: expected one request per line, ${expectedFormats}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TraceError(`line ${number} is not a JSON object: expected one request per line, ${expectedFormats}`)
  }
  return value as Row
}

function detectFormat(row: Row, number: number): TraceFormat {
  const format = formats.find(({ field }) => field in row)
  if (format !== undefined) return format
  const fields = Object.keys(row)
    .slice(0, 8)
    .map((field) => field.slice(0, 40))
  throw new TraceError(
    `line ${number} is of no known format: expected ${expectedFormats}, got fields ${fields.join(', ') || '(none)'}`,
  )
}

const expectedFormats = formats.map(({ name, field, expected }) => `${field} with ${expected} (${name})`).join(' or ')

function requestOf(row: Row, format: TraceFormat, number: number): TraceRequest {
  const { input_length: inputTokens, timestamp, session, stop } = row
  if (!isCount(inputTokens)) throw new TraceError(`line ${number}: input_length must be a whole number of at least 0`)
  if (typeof timestamp !== 'number') throw new TraceError(`line ${number}: timestamp must be a number of milliseconds`)
  const blocks = format.blocks(row[format.field])
  if (typeof blocks === 'string') throw new TraceError(`line ${number}: ${blocks} (${format.name})`)
  const fitting = Math.ceil(inputTokens / format.blockTokens)
  if (format.whole && blocks.length !== fitting) {
    const counts = `${format.field} has ${blocks.length}, but input_length ${inputTokens} is ${fitting} of ${format.blockTokens} tokens`
    throw new TraceError(`line ${number}: ${counts} (${format.name})`)
  }
  return {
    blockTokens: format.blockTokens,
    blocks,
    inputTokens,
    at: timestamp,
    session: typeof session === 'string' ? session : undefined,
    turnOver: stop === 'end_turn' ? true : stop === 'tool_use' ? false : undefined,
  }
}

function expandRuns(value: unknown): number[] | string {
  if (!Array.isArray(value)) return 'runs must be a list of [first, count]'
  const blocks: number[] = []
  for (const run of value as readonly unknown[]) {
    if (!Array.isArray(run) || run.length !== 2 || !isCount(run[0]) || !isCount(run[1])) {
      return 'runs must be a list of [first, count], whole numbers of at least 0'
    }
    const [first, count] = run as [number, number]
    if (blocks.length + count > maxBlocks) return `runs name more than ${maxBlocks} blocks`
    for (let offset = 0; offset < count; offset++) blocks.push(first + offset)
  }
  return blocks
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
