import type { Dialect, StreamMarks, UpstreamFault } from '@incipit/core'
import type { RawUsage } from './usage-scan.ts'
import { usageIn } from './usage-scan.ts'
import { Needle } from './needle.ts'
import type { AnswerTap } from './whole-tap.ts'
import { answerIdIn } from './answer-id.ts'
import { serviceTierIn } from './service-tier.ts'

/** Longest event that is read; what is longer passes unread. */
const longestEvent = 8 * 2 ** 20
/** In so many lines of a stream its id is looked for. */
const linesWithId = 16
const dataField = Buffer.from('data:')
/** Every usage counts tokens, and most events say `"usage":null`: this tells the lines that are worth a look. */
const tokens = new Needle('tokens"')

/**
 * Reads what passes by in a stream of server-sent events, without parsing it and without changing it: usage,
 * the first content, the terminal event, whole at any cut of the bytes into chunks.
 *
 * @example const tap = new StreamTap(dialect); tap.push(chunk); tap.usage
 */
export class StreamTap implements AnswerTap {
  answerId: string | undefined
  readonly #content: readonly Needle[]
  readonly #end: readonly Needle[]
  readonly #faulty: readonly Needle[]
  readonly #dialect: Pick<Dialect, 'streamReader'>
  #linesLeft = linesWithId
  /** What has come of a line that is not complete yet. */
  #line: Buffer[] = []
  #lineBytes = 0
  #usage: RawUsage | undefined
  /** The line that reported usage last. */
  #reporting: Buffer | undefined
  #answered = false
  #ended = false
  #fault: UpstreamFault | undefined

  constructor(dialect: Pick<Dialect, 'streamMarks' | 'streamReader'>) {
    const { content, end, fault } = needlesOf(dialect.streamMarks)
    this.#content = content
    this.#end = end
    this.#faulty = fault
    this.#dialect = dialect
  }

  /** All usage objects seen so far, merged. */
  get usage(): RawUsage | undefined {
    return this.#usage
  }

  /** Content has passed. */
  get answered(): boolean {
    return this.#answered
  }

  /** The event that ends a complete stream has passed. */
  get ended(): boolean {
    return this.#ended
  }

  /** The error that an event reported. */
  get fault(): UpstreamFault | undefined {
    return this.#fault
  }

  /** Nothing that matters follows. */
  get isOver(): boolean {
    return this.#ended || this.#fault !== undefined
  }

  push(chunk: Buffer): void {
    const lines = chunk.lastIndexOf(0x0a) + 1
    if (this.#lineBytes === 0) this.#read(chunk, lines)
    else if (lines > 0) {
      const joined = Buffer.concat([...this.#line, chunk.subarray(0, lines)])
      this.#line = []
      this.#lineBytes = 0
      this.#read(joined, joined.length)
    }
    if (lines < chunk.length) this.#keep(chunk.subarray(lines))
  }

  /** The upstream ended the stream: a last line needs no line feed. */
  finish(): void {
    if (this.#lineBytes === 0) return
    const last = Buffer.concat(this.#line)
    this.#lineBytes = 0
    this.#read(last, last.length)
  }

  serviceTier(): string | undefined {
    return this.#reporting === undefined ? undefined : serviceTierIn(this.#reporting)
  }

  #read(bytes: Buffer, to: number): void {
    if (to === 0) return
    if (this.answerId === undefined && this.#linesLeft > 0) this.#findId(bytes, to)
    this.#findUsage(bytes, to)
    if (!this.#answered) this.#answered = containsAny(bytes, this.#content, to)
    if (!this.#ended) this.#ended = this.#end.some((text) => ends(bytes, text, to))
    if (this.#fault === undefined && containsAny(bytes, this.#faulty, to)) this.#findFault(bytes, to)
  }

  #findUsage(bytes: Buffer, to: number): void {
    for (let at = tokens.indexIn(bytes); at !== -1 && at < to;) {
      const start = bytes.lastIndexOf(0x0a, at) + 1
      const feed = bytes.indexOf(0x0a, at)
      const end = feed === -1 || feed >= to ? to : feed + 1
      const usage = usageIn(bytes, start, end, this.#usage)
      if (usage !== this.#usage) this.#reporting = bytes.subarray(start, end)
      this.#usage = usage
      at = tokens.indexIn(bytes, end)
    }
  }

  /** Line by line, so that it is the same at any cut: further behind, ids are those of tool calls. */
  #findId(bytes: Buffer, to: number): void {
    for (const line of linesOf(bytes, to)) {
      if (this.#linesLeft-- <= 0) return
      this.answerId = answerIdIn(line)
      if (this.answerId !== undefined) return
    }
  }

  /** What looks like an error is read as what it is: a null, or a name in what a tool takes, is none. */
  #findFault(bytes: Buffer, to: number): void {
    for (const line of linesOf(bytes, to)) {
      if (!line.subarray(0, dataField.length).equals(dataField) || !containsAny(line, this.#faulty, line.length))
        continue
      const step = this.#dialect.streamReader().read({ event: undefined, data: line.toString('utf8', 5).trim() })
      if (step.kind !== 'fault') continue
      this.#fault = step.fault
      return
    }
  }

  #keep(part: Buffer): void {
    if (this.#lineBytes + part.length > longestEvent) return
    this.#line.push(part)
    this.#lineBytes += part.length
  }
}

function* linesOf(bytes: Buffer, to: number): Generator<Buffer, void> {
  for (let start = 0; start < to;) {
    const end = bytes.indexOf(0x0a, start)
    const next = end === -1 || end >= to ? to : end + 1
    yield bytes.subarray(start, next)
    start = next
  }
}

interface Needles {
  readonly content: readonly Needle[]
  readonly end: readonly Needle[]
  readonly fault: readonly Needle[]
}

const needles = new WeakMap<StreamMarks, Needles>()

function needlesOf(marks: StreamMarks): Needles {
  const known = needles.get(marks)
  if (known !== undefined) return known
  const made = {
    content: marks.content.map((text) => new Needle(text)),
    end: marks.end.map((text) => new Needle(text)),
    fault: marks.fault.map((text) => new Needle(text)),
  }
  needles.set(marks, made)
  return made
}

function containsAny(bytes: Buffer, needles: readonly Needle[], to: number): boolean {
  return needles.some((needle) => contains(bytes, needle, to))
}

/** A text in quotes is a word of the event; one without is the whole data of it, because content may hold it, too. */
function ends(bytes: Buffer, needle: Needle, to: number): boolean {
  const { text } = needle
  for (let at = needle.indexIn(bytes); at !== -1 && at < to; at = needle.indexIn(bytes, at + 1)) {
    if (text[0] === 0x22 || isWholeData(bytes, at, at + text.length)) return true
  }
  return false
}

function isWholeData(bytes: Buffer, from: number, to: number): boolean {
  const start = bytes[from - 1] === 0x20 ? from - 1 : from
  const line = start - dataField.length
  if (line < 0 || !bytes.subarray(line, start).equals(dataField)) return false
  const before = line === 0 ? 0x0a : bytes[line - 1]
  const after = bytes[to] ?? 0x0a
  return isLineEnd(before) && isLineEnd(after)
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d
}

/** A text that ends in an opening quote means a string with something in it. */
function contains(bytes: Buffer, needle: Needle, to: number): boolean {
  const { text } = needle
  const opens = text.at(-1) === 0x22 && text.includes(0x3a)
  for (let at = needle.indexIn(bytes); at !== -1 && at < to; at = needle.indexIn(bytes, at + 1)) {
    if (!opens || bytes[at + text.length] !== 0x22) return true
  }
  return false
}
