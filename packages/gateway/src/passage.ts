import type {
  Clock,
  Dialect,
  EpochMs,
  ErrorCode,
  IncipitError,
  IsolationScope,
  Milliseconds,
  Prompt,
  PromptReport,
  RequestId,
  SessionId,
  TokenCount,
  WireHash,
} from '@incipit/core'
import { milliseconds } from '@incipit/core'
import type { Caller } from './authenticate/authenticate.ts'
import type { RequestHead } from './receive/receive-head.ts'
import type { Target } from './route/route.ts'

/** What is known of a request once it has a place to go. */
export interface Identified {
  readonly caller: Caller
  readonly head: RequestHead
  readonly prompt: Prompt
  readonly session: SessionId
  readonly target: Target
  readonly scope: IsolationScope
  /** Hash of the intended prefix (M-4). */
  readonly wireHash: WireHash | undefined
}

/**
 * One request's way through the house: what each stage found out, in the order they found it.
 * `meter` makes a row of the ledger of it, also when the request fails half-way.
 */
export class Passage {
  readonly id: RequestId
  readonly at: EpochMs
  readonly dialect: Dialect
  readonly #startedAt: number
  readonly #clock: Clock
  readonly #head: { setHeader(name: string, value: string): unknown }
  #who: Identified | undefined
  #report: PromptReport | undefined
  #output: TokenCount | undefined
  #ttft: Milliseconds | undefined
  #failure: IncipitError | undefined

  constructor(
    exchange: {
      readonly id: RequestId
      readonly receivedAt: number
      readonly response: { setHeader(name: string, value: string): unknown }
    },
    dialect: Dialect,
    house: { readonly clock: Clock },
  ) {
    this.id = exchange.id
    this.dialect = dialect
    this.at = house.clock.now()
    this.#clock = house.clock
    this.#startedAt = exchange.receivedAt
    this.#head = exchange.response
  }

  /** Side effect: the answer's head says which prefix was meant (M-4) and where the request went. */
  identified(who: Identified): void {
    this.#who = who
    if (who.wireHash !== undefined) this.#head.setHeader('x-incipit-prefix', who.wireHash)
    // A model may have any name, a header only ASCII.
    const route = `${who.target.upstream}/${who.target.replica}`.replace(/[^ -~]+/g, encodeURIComponent)
    this.#head.setHeader('x-incipit-route', route)
  }

  prompted(report: PromptReport): void {
    this.#report = report
  }

  /** The first content is about to leave; later calls change nothing. */
  answered(): void {
    this.#ttft ??= this.elapsed
  }

  /** Tokens generated so far; also what a cancelled answer is charged with. */
  generated(output: TokenCount): void {
    this.#output = output
  }

  failed(error: IncipitError): void {
    this.#failure = error
  }

  get elapsed(): Milliseconds {
    return milliseconds(Math.round((this.#clock.monotonic() - this.#startedAt) * 1_000) / 1_000)
  }

  get who(): Identified | undefined {
    return this.#who
  }

  get report(): PromptReport | undefined {
    return this.#report
  }

  get output(): TokenCount | undefined {
    return this.#output
  }

  get ttft(): Milliseconds | undefined {
    return this.#ttft
  }

  get status(): number {
    return this.#failure?.status ?? 200
  }

  get errorCode(): ErrorCode | undefined {
    return this.#failure?.code
  }
}
