import type { PicoUsd } from '@incipit/core'
import { picoUsd, usd } from '@incipit/core'
import type { OverheadTotals, SummaryTotals } from '../ledger/port.ts'
import type { JsonView } from './json-view.ts'
import { ratio } from './json-view.ts'

/**
 * Costs and savings as JSON. An amount is `null` where nothing of it is known, which is not 0; where a part of it is,
 * it is that part, and the counts of what is unpriced tell that there is more. Saved is what the same tokens cost
 * where nothing is cached, less what they did cost, less what keeping the caches cost.
 */
export function moneyView(totals: SummaryTotals): JsonView {
  const { cost, counterfactual, comparedCost, unpricedRequests } = totals
  const unpriced = unknownCosts(totals)
  const overhead = overheadOf(totals)
  const keeping = { cost: sum(overhead.map((one) => one.cost)), unpriced: count(overhead.map((one) => one.unpriced)) }
  const compared = counterfactual !== 0n || comparedCost !== 0n || unpriced === 0
  const saved = picoUsd(counterfactual - comparedCost - keeping.cost)
  return {
    cost_usd: known(sum([cost, keeping.cost]), unpriced + keeping.unpriced),
    cost_parts: { ...requestParts(totals), ...named(overhead, (one) => known(one.cost, one.unpriced)) },
    unpriced_requests: unpricedRequests,
    counterfactual_usd: compared ? usd(counterfactual) : null,
    compared_cost_usd: compared ? usd(comparedCost) : null,
    overhead_usd: known(keeping.cost, keeping.unpriced),
    overhead: named(overhead, overheadView),
    saved_usd: compared ? usd(saved) : null,
    saved_ratio: compared ? ratio(Number(saved), Number(counterfactual)) : null,
  }
}

/**
 * An amount in dollars; `null` where all that could be in it has no price.
 * @example known(picoUsd(0n), 3) // null
 */
export function known(amount: PicoUsd, unpriced: number): number | null {
  return amount === 0n && unpriced > 0 ? null : usd(amount)
}

/** Requests whose cost is not known: those with tokens, and the answered ones of which nobody said how many they had. */
function unknownCosts({ unpricedRequests, unreportedRequests, failedRequests }: SummaryTotals): number {
  return unpricedRequests + Math.max(0, unreportedRequests - failedRequests)
}

function requestParts(totals: SummaryTotals): JsonView {
  const { cost, costRead, costWrite, costOutput } = totals
  const parts = {
    fresh: picoUsd(cost - costRead - costWrite - costOutput),
    read: costRead,
    write: costWrite,
    output: costOutput,
  }
  const nothing = cost === 0n && unknownCosts(totals) > 0
  return Object.fromEntries(Object.entries(parts).map(([name, amount]) => [name, nothing ? null : usd(amount)]))
}

/** One of each kind, also of those that never were. */
function overheadOf({ overhead }: SummaryTotals): OverheadTotals[] {
  return (['storage', 'ping', 'prewarm'] as const).map(
    (kind) =>
      overhead.find((one) => one.kind === kind) ?? {
        kind,
        rows: 0,
        cost: picoUsd(0n),
        unpriced: 0,
        storageTokenHours: 0,
      },
  )
}

function overheadView({ kind, rows, cost, unpriced, storageTokenHours }: OverheadTotals): JsonView {
  const view = { events: rows, unpriced, cost_usd: known(cost, unpriced) }
  return kind === 'storage' ? { ...view, token_hours: storageTokenHours } : view
}

function named<View>(overhead: readonly OverheadTotals[], view: (one: OverheadTotals) => View): Record<string, View> {
  return Object.fromEntries(overhead.map((one) => [one.kind, view(one)]))
}

function sum(amounts: readonly PicoUsd[]): PicoUsd {
  return picoUsd(amounts.reduce<bigint>((total, amount) => total + amount, 0n))
}

function count(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
