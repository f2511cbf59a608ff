import type { FinishReason, GenerationEvent, IncipitError } from '@incipit/core'
import { tokenCount } from '@incipit/core'
import type { Lease } from '../cache/lease.ts'
import type { Answer } from './answer.ts'
import type { Turn } from './fair-share.ts'
import type { ScheduledRequest, SchedulerSink } from './request.ts'
import type { PrefixWait } from './prefix-wait.ts'

/**
 * Most room for output that is kept at the start; it grows while there is room. Bounds are often set far
 * above what is generated: keeping room for all of it would make others wait for nothing.
 */
const outputReserve = 1_024

/** One request on its way through the scheduler: its tokens, and how many of them are evaluated. */
export class Generation {
  readonly request: ScheduledRequest
  readonly answer: Answer
  /** Its place among those that take turns. */
  readonly turn: Turn
  /** Somebody else who evaluates what it begins with. */
  waitsFor: PrefixWait | undefined
  /** Others that began while it waited for room. */
  overtaken = 0
  /** `Roster.freed` when there was no room for it; `undefined` = it does not wait for any. */
  refusedAt: number | undefined
  /** Position from which on it has all of its room, and how often it has lent a part of that. */
  heldFrom = 0
  timesLent = 0
  /** When it was begun first. */
  startedAt: number | undefined
  /** Longest this sequence can become. */
  readonly maxLength: number
  /** Positions of the prompt behind which its state is to be saved, ascending. */
  readonly #stops: readonly number[]
  lease: Lease | undefined
  /** Prompt tokens taken from the cache. */
  cached = 0
  /** Prompt tokens counted where they were in a batch that decoded. */
  evaluatedPrompt = 0
  /** Tokens whose state is in the KV buffer. */
  evaluated = 0
  cancelled = false
  ended = false
  /** Tokens to have evaluated before the next one is sampled: more than the prompt after a pause. */
  #prefillLength: number
  #reported = false
  #finish: FinishReason | undefined
  readonly #sink: SchedulerSink
  #tokens: Int32Array
  #length: number

  constructor(options: {
    readonly request: ScheduledRequest
    readonly answer: Answer
    readonly sink: SchedulerSink
    readonly maxLength: number
    readonly turn: Turn
    readonly stops: readonly number[]
  }) {
    this.#stops = options.stops
    this.request = options.request
    this.answer = options.answer
    this.maxLength = options.maxLength
    this.turn = options.turn
    this.#sink = options.sink
    this.#tokens = options.request.prompt
    this.#length = options.request.prompt.length
    this.#prefillLength = options.request.prompt.length
  }

  /** Prompt and output so far; only the first `length` count. */
  get tokens(): Int32Array {
    return this.#tokens
  }

  get length(): number {
    return this.#length
  }

  get prefilling(): boolean {
    return this.evaluated < this.#prefillLength
  }

  /** What is to be evaluated before the next token is sampled: the prompt, after a pause also the output. */
  get prefill(): Int32Array {
    return this.#tokens.subarray(0, this.#prefillLength)
  }

  /** Whether the prompt is done and was reported: what is evaluated again after a pause counts no second time. */
  get reported(): boolean {
    return this.#reported
  }

  /** Tokens to keep room for when it starts. */
  get reserveTokens(): number {
    return Math.min(this.maxLength, this.#length + outputReserve)
  }

  /** Whether it ran before: what it has said cannot be taken back. */
  get begun(): boolean {
    return this.startedAt !== undefined
  }

  /** The last position up to `position` where its state is saved; 0 = there is none. */
  lastStop(position: number): number {
    return this.#stops.findLast((stop) => stop <= position) ?? 0
  }

  /** The next position to stop at, at or behind `position`. */
  stopFrom(position: number): number | undefined {
    return this.#stops.find((stop) => stop >= position)
  }

  start(lease: Lease, now: number): void {
    this.lease = lease
    this.startedAt ??= now
    this.overtaken = 0
    this.evaluated = lease.cached.hot + lease.cached.ram + lease.cached.disk
    this.heldFrom = this.evaluated
    this.refusedAt = undefined
    if (!this.#reported) this.cached = this.evaluated
  }

  /** Gives its room up; `start` goes on where it was. @returns what it held */
  pause(): Lease {
    const { lease } = this
    if (lease === undefined) throw new Error('a generation without a lease cannot be paused')
    this.lease = undefined
    this.#prefillLength = this.#length
    return lease
  }

  /** Says what happened with the prompt. */
  reportPrompt(): void {
    this.#reported = true
    const { hot, ram, disk } = this.lease?.cached ?? { hot: 0, ram: 0, disk: 0 }
    const promptTokens = this.request.prompt.length
    const counted = this.request.count?.(this.cached)
    const { diagnosis } = this.request
    this.emit({
      kind: 'prompt',
      promptTokens: tokenCount(promptTokens),
      cachedTokens: tokenCount(this.cached),
      evaluatedTokens: tokenCount(this.evaluatedPrompt),
      tiers: { hot: tokenCount(hot), ram: tokenCount(ram), disk: tokenCount(disk) },
      ...(counted === undefined ? {} : { counted }),
      ...(diagnosis === undefined ? {} : { diagnosis }),
    })
  }

  /** Whether a person goes on; not, where a program does; `undefined` where the answer did not end by itself. */
  get turnOver(): boolean | undefined {
    return this.#finish === undefined ? undefined : this.#finish !== 'tool_calls'
  }

  /** Samples behind the last evaluated token. */
  advance(logits: Float32Array): void {
    const token = this.answer.next(logits, (event) => this.emit(event))
    if (token === undefined) {
      this.ended = true
      return
    }
    if (this.#length === this.#tokens.length) this.#grow()
    this.#tokens[this.#length++] = token
  }

  /** Ends it where no room is left, with what there is. */
  cutShort(): void {
    this.answer.finish('length', (event) => this.emit(event))
    this.ended = true
  }

  fail(error: IncipitError): void {
    this.ended = true
    this.answer.close()
    if (!this.cancelled) this.#sink.fail(this.request.id, error)
  }

  emit(event: GenerationEvent): void {
    if (event.kind === 'finish') this.#finish = event.reason
    if (!this.cancelled) this.#sink.event(this.request.id, event)
  }

  #grow(): void {
    const longer = new Int32Array(Math.min(this.maxLength, Math.max(64, this.#length * 2)))
    longer.set(this.#tokens)
    this.#tokens = longer
  }
}
