import type { TokenCount, Usage } from '@incipit/core'
import { tokenCount } from '@incipit/core'
import type { House } from '../house.ts'
import type { LedgerEvent } from '../ledger/port.ts'
import { costOfEvent } from '../meter/cost-of-event.ts'
import type { Passage } from '../passage.ts'
import type { Admission } from './admission.ts'

/**
 * Settles what a request took of its limits with what it used, now that its row is in the ledger. A cost that is
 * not known counts as nothing, unless the client left before it was: then it is estimated. What goes wrong here is logged, and the answer goes on.
 *
 * @example await settle(passage, event, house)
 */
export async function settle(passage: Passage, event: LedgerEvent, house: House): Promise<void> {
  const { admission } = passage
  // A request that is metered twice costs once.
  if (admission === undefined || admission.settled) return
  try {
    spend(admission, event, house)
    const { inputTokens, cachedInputTokens, usage } = event
    const used = { inputTokens, cachedInputTokens, outputTokens: usage.output }
    await admission.settle(used, event.status >= 400 && !leftHalfWay(event))
  } catch (error) {
    house.log.error({ err: error, request_id: passage.id }, 'limits could not be settled with what was used')
  }
}

function spend({ subjects, promptTokens }: Admission, event: LedgerEvent, house: House): void {
  const { cost, at } = event
  if (cost !== undefined) {
    for (const { spender } of subjects) house.limiter.spend.add(spender, cost, at)
    return
  }
  if (!leftHalfWay(event)) return
  // Else a budget ends where clients hang up before the usage has come.
  const estimate = costOfEvent({ ...event, usage: estimatedUsage(event, promptTokens) }, undefined, house.prices).cost
  if (estimate === undefined) return
  for (const { spender } of subjects) house.limiter.spend.reserve(spender, estimate, at)
}

/** What has not been reported of an answer that somebody left: its prompt as estimated, and what had been generated. */
function estimatedUsage({ usage }: LedgerEvent, promptTokens: TokenCount): Usage {
  return {
    ...usage,
    fresh: usage.fresh ?? promptTokens,
    read: usage.read ?? tokenCount(0),
    output: usage.output ?? tokenCount(0),
  }
}

/** Whoever leaves while an answer is made has it made all the same: else a limit ends where clients hang up early. */
function leftHalfWay({ errorCode, upstream }: LedgerEvent): boolean {
  return errorCode === 'client_closed' && upstream !== undefined
}
