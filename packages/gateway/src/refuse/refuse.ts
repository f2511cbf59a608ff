import type { Dialect, DialectName } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendError } from '../http/exchange.ts'
import { LedgerError } from '../ledger/ledger-error.ts'
import { meter } from '../meter/meter.ts'
import type { Passage } from '../passage.ts'

/** What a refusal needs to know of the request it ends. */
export interface Refusal {
  readonly exchange: Exchange
  readonly dialect: Dialect
  readonly passage: Passage
  readonly house: House
}

/**
 * Ends a request that failed before its answer began, in the caller's dialect. A request that we
 * refused is no usage and leaves no row; one that failed, or whose client left, does: it cost compute.
 *
 * @example catch (error) { await refuse(error, { exchange, dialect, passage, house }) }
 */
export async function refuse(cause: unknown, { exchange, dialect, passage, house }: Refusal): Promise<void> {
  const error = noteFailure(cause, dialect.name, exchange, house)
  passage.failed(error)
  if (passage.who !== undefined && passage.target !== undefined && error.status >= 499) await meter(passage, house)
  if (error.code === 'client_closed') exchange.response.destroy()
  else sendError(exchange, error, (failure, id) => dialect.error(failure, id))
}

/**
 * Anything thrown, as the error it leaves as. Side effects: it is counted, and logged when it is a defect.
 * @example noteFailure(cause, 'none', exchange, house)
 */
export function noteFailure(
  cause: unknown,
  dialect: DialectName | 'none',
  exchange: Exchange,
  house: Pick<House, 'log' | 'metrics'>,
): IncipitError {
  const error = errorOf(cause)
  if (error.code === 'internal') {
    house.log.error({ err: cause, request_id: exchange.id }, 'a request failed unexpectedly')
  } else if (error.cause instanceof LedgerError) {
    house.log.warn({ err: error.cause, request_id: exchange.id }, 'the ledger did not answer')
  }
  house.metrics.refused(dialect, error)
  return error
}

function errorOf(cause: unknown): IncipitError {
  if (IncipitError.is(cause)) return cause
  // A store that is locked, full or slow is a matter of time, and no defect.
  if (cause instanceof LedgerError) {
    return new IncipitError('overloaded', `the ledger cannot answer: ${cause.reason}`, { retryAfterSeconds: 1, cause })
  }
  return new IncipitError('internal', 'the gateway failed on this request', { cause })
}
