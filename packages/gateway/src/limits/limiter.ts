import type { Clock } from '@incipit/core'
import type { Logger } from 'pino'
import { ParallelSlots } from './parallel-slots.ts'
import type { RateWindows } from './rate-windows.ts'
import { SpendBook } from './spend-book.ts'
import type { SpendSource } from './spend-book.ts'
import { TokenRatios } from './token-estimate.ts'

/** Everything that limits count with; it outlives changes of the configuration. */
export interface Limiter {
  readonly windows: RateWindows
  readonly slots: ParallelSlots
  readonly spend: SpendBook
  readonly ratios: TokenRatios
}

export interface LimiterPorts {
  readonly windows: RateWindows
  readonly source: SpendSource
  readonly clock: Clock
  readonly log: Logger
}

/** @example const limiter = newLimiter({ windows: new MemoryWindows(clock), source, clock, log }) */
export function newLimiter({ windows, source, clock, log }: LimiterPorts): Limiter {
  const onFailure = (error: unknown): void => {
    log.error({ err: error }, 'the ledger did not say what was spent: budgets go by what this gateway has seen')
  }
  const spend = new SpendBook(source, clock, onFailure)
  return { windows, slots: new ParallelSlots(), spend, ratios: new TokenRatios() }
}
