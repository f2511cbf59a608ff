import type { AnswerContext, Dialect } from '@incipit/core'
import type { Exchange } from '../http/exchange.ts'
import type { Passage } from '../passage.ts'

/** An answer of which everything but the last bytes has left: those wait for the ledger. */
export interface HeldAnswer {
  /** Sends the last bytes and ends the response. */
  release(): void
}

/** What a relay needs to know of the request it answers. */
export interface Relay {
  readonly exchange: Exchange
  readonly passage: Passage
  /** The dialect the client expects. */
  readonly dialect: Dialect
  /** The dialect the answer comes in. */
  readonly spoken: Dialect
  readonly context: AnswerContext
}
