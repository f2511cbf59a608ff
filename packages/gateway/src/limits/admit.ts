import type { EpochMs } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { ServerResponse } from 'node:http'
import { requireModels } from '../authenticate/require-model.ts'
import type { House } from '../house.ts'
import type { Identified, Passage } from '../passage.ts'
import { Admission } from './admission.ts'
import { checkBudgets } from './check-budgets.ts'
import { showStandings } from './limit-headers.ts'
import type { RateRule } from './rate-windows.ts'
import type { Subject } from './subjects.ts'
import { subjectsOf } from './subjects.ts'
import { textBytes } from './token-estimate.ts'

/** Who wants in. */
export interface Applicant {
  readonly who: Identified
  readonly passage: Passage
  /** Gets the headers that say how limits stand. */
  readonly response: ServerResponse
}

/**
 * Lets a request in that the scopes of its key cover, and that its limits and those of its organisation have room
 * for. Side effects: it takes that room until `passage.leave`, and the response gets headers.
 *
 * @throws IncipitError `out_of_scope`, `budget_exceeded`, `rate_limited`; of those refused nothing is counted
 * @example await admit({ who, passage, response }, house)
 */
export async function admit({ who, passage, response }: Applicant, house: House): Promise<void> {
  requireModels(who.caller, who.prompt)
  const subjects = subjectsOf(who.caller, house.orgLimits)
  if (subjects.length === 0) return
  const bytes = textBytes(who.prompt)
  const admission = new Admission(house.limiter, subjects, bytes)
  passage.admitted(admission)
  const now = house.clock.now()
  try {
    for (const subject of subjects) {
      for (const warning of await checkBudgets(subject, house.limiter.spend, now)) passage.warn(warning)
    }
    for (const subject of subjects) takeSlot(subject, admission)
    for (const subject of subjects) await takeRequest(subject, admission, house)
    for (const subject of subjects) await takeTokens(subject, { admission, bytes, house })
  } catch (error) {
    await admission.withdraw()
    showStandings(response, admission.standings, now)
    if (IncipitError.is(error) && error.param !== undefined) house.metrics.limited(error.param)
    throw error
  }
  showStandings(response, admission.standings, now)
}

function takeSlot({ id, label, limits }: Subject, admission: Admission): void {
  const { parallel } = limits
  if (parallel === undefined || admission.enter(id, parallel)) return
  const message = `${label} has as many requests under way as are allowed at the same time: ${parallel}`
  throw new IncipitError('rate_limited', message, { param: 'parallel', retryAfterSeconds: 1 })
}

async function takeRequest(subject: Subject, admission: Admission, { limiter, clock }: House): Promise<void> {
  const { id, label, limits } = subject
  if (limits.rpm === undefined) return
  const rule: RateRule = { name: `${id} requests`, limit: limits.rpm }
  const taken = await limiter.windows.take(rule, 1)
  admission.charged({ subject, what: 'requests', rule, points: taken.kind === 'taken' ? 1 : 0, state: taken })
  if (taken.kind === 'taken') return
  const message = `${label} has sent ${taken.used} requests within a minute, ${limits.rpm} are allowed`
  const retryAfterSeconds = secondsUntil(taken.endsAt, clock.now())
  throw new IncipitError('rate_limited', message, { param: 'rpm', retryAfterSeconds })
}

async function takeTokens(
  subject: Subject,
  { admission, bytes, house }: { admission: Admission; bytes: number; house: House },
): Promise<void> {
  const { id, label, limits } = subject
  if (limits.tpm === undefined) return
  const rule: RateRule = { name: `${id} tokens`, limit: limits.tpm }
  const { windows, ratios } = house.limiter
  const guess = ratios.estimate(id, bytes, limits.tpmCounts)
  // How much of a prompt is cached is not known before: alone in its minute, any fits.
  const points = limits.tpmCounts === 'uncached' ? Math.min(guess, limits.tpm) : guess
  const taken = await windows.take(rule, points)
  admission.charged({ subject, what: 'tokens', rule, points: taken.kind === 'taken' ? points : 0, state: taken })
  if (taken.kind === 'taken') return
  if (points > limits.tpm) {
    const message = `the request is estimated at ${points} tokens, ${label} is allowed ${limits.tpm} a minute`
    throw new IncipitError('rate_limited', message, { param: 'tpm', retryInVain: true })
  }
  const message = `${label} has used ${taken.used} tokens within a minute, ${limits.tpm} are allowed, and the request is estimated at ${points}`
  const retryAfterSeconds = secondsUntil(taken.endsAt, house.clock.now())
  throw new IncipitError('rate_limited', message, { param: 'tpm', retryAfterSeconds })
}

function secondsUntil(then: EpochMs, now: EpochMs): number {
  return Math.max(1, Math.ceil((then - now) / 1_000))
}
