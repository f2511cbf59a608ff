import type { RequestId } from '@incipit/core'
import type { House } from '../house.ts'

/** A disk that is full stays so for a while, and the log may be on it. */
const quietMs = 10_000

interface Told {
  readonly at: number
  /** Losses since then that were not told. */
  untold: number
}

const tellings = new WeakMap<House['ledger'], Told>()

/**
 * Logs that the ledger did not take an event: the first time, and while it goes on every ten seconds, with how many
 * there were since. All of them are counted in the metrics.
 *
 * @example tellLoss(error, passage.id, house)
 */
export function tellLoss(error: unknown, id: RequestId, house: Pick<House, 'ledger' | 'log' | 'clock'>): void {
  const now = house.clock.monotonic()
  const told = tellings.get(house.ledger)
  if (told !== undefined && now - told.at < quietMs) {
    told.untold += 1
    return
  }
  tellings.set(house.ledger, { at: now, untold: 0 })
  const message = 'the ledger did not take this event: it is lost'
  house.log.error({ err: error, request_id: id, others_lost_before: told?.untold ?? 0 }, message)
}
