import type { House } from '../house.ts'
import { settle } from '../limits/settle.ts'
import type { Passage } from '../passage.ts'
import { attemptEvent } from './attempt-event.ts'
import { requestEvent } from './request-event.ts'
import { tellLoss } from './tell-loss.ts'

/**
 * Writes the rows of a request that had a place to go: its own, and one for each attempt that failed. Resolves
 * when they would survive a killed process; a ledger that fails is counted and reported, and the request goes on.
 *
 * @example await meter(passage, house); held.release()
 */
export async function meter(passage: Passage, house: House): Promise<void> {
  const { who } = passage
  if (who === undefined) throw new Error('metered before the request was identified')
  const event = requestEvent(passage, who, house)
  house.metrics.observe(event)
  passage.trace.metered(event)
  const attempts = passage.attempts.map((attempt, index) => attemptEvent(event, attempt, index))
  for (const attempt of attempts) house.metrics.attemptFailed(attempt)
  try {
    const recorded = attempts.map((attempt) => house.ledger.record(attempt))
    await (attempts.length === 0 ? house.ledger.record(event) : Promise.all([...recorded, house.ledger.record(event)]))
  } catch (error) {
    house.metrics.lostEvent()
    tellLoss(error, passage.id, house)
  }
  await settle(passage, event, house)
}
