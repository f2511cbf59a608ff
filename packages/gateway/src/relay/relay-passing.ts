import { IncipitError } from '@incipit/core'
import type { Dialect, Warning } from '@incipit/core'
import type { Exchange } from '../http/exchange.ts'
import type { Passage } from '../passage.ts'
import type { UpstreamAnswer } from '../upstreams/upstream-answer.ts'
import type { UpstreamFailure } from '../upstreams/upstream-failure.ts'
import { passHeadersOn, setOwnHeaders } from './answer-head.ts'
import { stallLimitMs } from './await-drain.ts'
import type { HeldAnswer, Relay } from './held-answer.ts'
import { UsageHider } from './hide-usage.ts'
import { isKnownCoding } from '../http/content-coding.ts'
import type { Flow } from './pipe-decoded.ts'
import { pipeDecoded } from './pipe-decoded.ts'
import { serviceTierOf } from './service-tier.ts'
import { StreamTap } from './stream-tap.ts'
import type { AnswerTap } from './whole-tap.ts'
import { WholeEvents } from './whole-events.ts'
import { WholeTap } from './whole-tap.ts'

/** How long an upstream may keep a stream open after its terminal event. */
export const graceMs = 500
/** Longest event that waits for its end; what is longer passes in parts. */
const longestHeldEvent = 2 ** 20
/** What an upstream may send behind the terminal event of a stream before it is cut off. */
const longestRest = 2 ** 20
const nothing: Buffer = Buffer.alloc(0)
export const unfinished: Warning = {
  code: 'incomplete_answer',
  where: 'stream',
  detail: 'the upstream ended the stream without its terminal event',
}

/** An answer in the client's own dialect. */
export interface PassingRelay extends Relay {
  readonly answer: UpstreamAnswer
  readonly hidesUsage: boolean
}

/**
 * Lets an upstream's answer through, byte for byte and with back-pressure, while usage is read from it. What
 * would complete the answer is held back until the ledger has its row.
 *
 * @throws IncipitError when the answer breaks off before anything was sent
 * @example const held = await relayPassing(relay); await meter(passage, house); held.release()
 */
export async function relayPassing(relay: PassingRelay): Promise<HeldAnswer> {
  return new Promise((resolve, reject) => new Passing(relay, resolve, reject).start())
}

class Passing {
  readonly #relay: PassingRelay
  readonly #resolve: (held: HeldAnswer) => void
  readonly #reject: (error: Error) => void
  readonly #stream: boolean
  readonly #tap: StreamTap | WholeTap
  readonly #hider: UsageHider | undefined
  /** Of a stream only whole events leave, so that an error event can follow where it breaks off. */
  readonly #events: UsageHider | WholeEvents | undefined
  /** Bytes that wait for the ledger: from the terminal event on, or the last ones of a whole answer. */
  #held: Buffer[] = []
  #restBytes = 0
  #over = false
  #flow: Flow | undefined
  /** The client reads nothing. */
  #stall: NodeJS.Timeout | undefined
  /** The stream is complete and its upstream does not end it. */
  #grace: NodeJS.Timeout | undefined

  constructor(relay: PassingRelay, resolve: (held: HeldAnswer) => void, reject: (error: Error) => void) {
    this.#relay = relay
    this.#resolve = resolve
    this.#reject = reject
    this.#stream = isEventStream(relay.answer)
    this.#tap = this.#stream ? new StreamTap(relay.spoken) : new WholeTap()
    this.#hider = relay.hidesUsage && this.#stream ? new UsageHider(longestHeldEvent) : undefined
    this.#events = this.#hider ?? (this.#stream ? new WholeEvents(longestHeldEvent) : undefined)
  }

  start(): void {
    const { answer, exchange, passage } = this.#relay
    const { response } = exchange
    setOwnHeaders(response, passage)
    passHeadersOn(response, answer.headers)
    const coding = answer.headers['content-encoding']
    const decoded = coding !== undefined && isKnownCoding(coding)
    if (coding !== undefined && !decoded) response.setHeader('content-encoding', coding)
    const length = answer.headers['content-length']
    if (length !== undefined && !decoded && this.#hider === undefined) response.setHeader('content-length', length)
    response.statusCode = answer.status
    response.on('drain', this.#drained)
    this.#flow = pipeDecoded(answer, {
      data: (chunk) => this.#take(chunk),
      end: () => this.#end(),
      failed: (error) => this.#fail(asError(error)),
    })
  }

  /** @returns whether the client takes more */
  #take(chunk: Buffer): boolean {
    if (this.#over) return true
    const tap = this.#tap
    const { passage, exchange } = this.#relay
    tap.push(chunk)
    if (tap.answered) passage.answered()
    if (this.#events === undefined) return this.#swap(chunk)
    const out = this.#events.push(chunk)
    if (tap.isOver) {
      this.#grace ??= setTimeout(() => this.#cutOff(), graceMs)
      if (out.length > 0) this.#held.push(out)
      this.#restBytes += chunk.length
      if (this.#restBytes > longestRest) this.#cutOff()
      return true
    }
    return out.length === 0 || this.#write(out, exchange)
  }

  /** Of a whole answer the last chunk is held, and nobody knows which one that is until the end. */
  #swap(out: Buffer): boolean {
    const before = this.#held[0]
    this.#held = [out]
    return before === undefined ? true : this.#write(before, this.#relay.exchange)
  }

  #write(out: Buffer, { response }: Exchange): boolean {
    const taken = response.write(out)
    if (!taken) this.#stall ??= setTimeout(() => this.#stalled(), stallLimitMs)
    return taken
  }

  readonly #drained = (): void => {
    clearTimeout(this.#stall)
    this.#stall = undefined
    this.#flow?.resume()
  }

  #stalled(): void {
    const error = new IncipitError('client_closed', `the client read nothing for ${stallLimitMs} ms`)
    this.#fail(error)
    this.#relay.answer.abort(error)
  }

  /** Complete, but the upstream keeps the connection: what it might still say has no meaning. */
  #cutOff(): void {
    this.#end()
    this.#relay.answer.abort(new IncipitError('upstream_failed', 'the stream was complete and did not end'))
  }

  #end(): void {
    if (this.#over) return
    this.#finish()
    const { passage } = this.#relay
    const { fault } = this.#tap
    if (fault !== undefined)
      passage.failed(new IncipitError('upstream_failed', 'the upstream answered 200 and reported an error'))
    else if (this.#stream && !this.#tap.ended) passage.warn(unfinished)
    const rest = this.#events?.finish() ?? nothing
    const last = [...this.#held, rest].filter((part) => part.length > 0)
    const { response } = this.#relay.exchange
    this.#resolve({ release: () => void response.end(last.length === 1 ? last[0] : Buffer.concat(last)) })
  }

  /** A stream that breaks off ends in an error event of its dialect; a whole answer is cut, so that nobody takes it for whole. */
  #fail(error: IncipitError): void {
    if (this.#over) return
    // What breaks off behind the terminal event was complete.
    if (this.#tap.isOver && error.code !== 'client_closed') {
      this.#end()
      return
    }
    this.#finish()
    const { exchange, passage, dialect } = this.#relay
    const { response } = exchange
    if (!response.headersSent || error.code === 'client_closed' || !this.#stream) {
      this.#reject(error)
      return
    }
    passage.failed(error)
    const gap = this.#events?.isOpen === true ? '\n\n' : ''
    const last = `${gap}${dialect.stream(this.#relay.context).error(error)}`
    this.#resolve({ release: () => void response.end(last) })
  }

  #finish(): void {
    this.#over = true
    clearTimeout(this.#stall)
    clearTimeout(this.#grace)
    this.#relay.exchange.response.off('drain', this.#drained)
    this.#tap.finish()
    noteUsage(this.#relay.passage, this.#relay.spoken, this.#tap)
  }
}

/** Whether an answer is a stream of server-sent events; names of media types have no case. */
export function isEventStream({ headers }: Pick<UpstreamAnswer, 'headers'>): boolean {
  return headers['content-type']?.trimStart().toLowerCase().startsWith('text/event-stream') === true
}

/** What a tap has read, into the passage. */
export function noteUsage(passage: Passage, spoken: Dialect, tap: AnswerTap): void {
  const { usage, answerId } = tap
  if (usage !== undefined) {
    passage.used(spoken.usage(usage), usage)
    passage.tiered(serviceTierOf(usage) ?? tap.serviceTier())
  }
  passage.named(answerId)
}

function asError(error: UpstreamFailure | IncipitError): IncipitError {
  return IncipitError.is(error)
    ? error
    : new IncipitError(error.code, `the upstream: ${error.message}`, { cause: error })
}
