import { picoUsd } from '@incipit/core'
import type { ControlTotals, OverheadTotals, RequestTotals, SummaryTotals } from '../port.ts'
import type { Cell } from './cell.ts'
import { slotCount, Sums } from './cell.ts'
import { toTtft, ttftCount, ttftNumbers } from './ttft-percentiles.ts'

/** How many numbers `toNumbers` gives. */
export const numberCount: number = slotCount + 2 + ttftCount

/** A cell as numbers, which cross from one thread to another a hundred times faster than objects do. */
export function toNumbers(cell: Cell): Float64Array {
  const numbers = new Float64Array(numberCount)
  numbers.set(cell.sums)
  numbers[slotCount] = cell.leastRequests
  numbers[slotCount + 1] = cell.leastTokens
  numbers.set(ttftNumbers(cell.histogram), slotCount + 2)
  return numbers
}

/** What a cell has added up, as the ledger shows it; from `toNumbers`. */
export function toTotals(numbers: Float64Array): SummaryTotals {
  const cell = new Sums(numbers)
  return {
    requests: cell.count('requests'),
    warmRequests: cell.count('warm'),
    partialRequests: cell.count('partial'),
    failedRequests: cell.count('failed'),
    unreportedRequests: cell.count('unreported'),
    attempts: cell.count('attempts'),
    inputTokens: cell.count('input'),
    cachedInputTokens: cell.count('cached'),
    outputTokens: cell.count('output'),
    fresh: cell.count('fresh'),
    read: cell.count('read'),
    write5m: cell.count('write5m'),
    write30m: cell.count('write30m'),
    write1h: cell.count('write1h'),
    write12h: cell.count('write12h'),
    cost: picoUsd(cell.money('cost')),
    costRead: picoUsd(cell.money('costRead')),
    costWrite: picoUsd(cell.money('costWrite')),
    costOutput: picoUsd(cell.money('costOutput')),
    counterfactual: picoUsd(cell.money('counterfactual')),
    comparedCost: picoUsd(cell.money('comparedCost')),
    unpricedRequests: cell.count('unpriced'),
    overhead: overheadOf(cell),
    busyMs: cell.count('busyMicroseconds') / 1_000,
    ttft: toTtft(numbers.subarray(slotCount + 2)),
    reuse: {
      first: groupOf(cell, 'first'),
      same_session: groupOf(cell, 'sameSession'),
      across_sessions: groupOf(cell, 'acrossSessions'),
    },
    control: controlOf(cell),
    leastHeadroom: { requests: finite(numbers[slotCount]), tokens: finite(numbers[slotCount + 1]) },
  }
}

function groupOf(cell: Sums, group: 'first' | 'sameSession' | 'acrossSessions' | 'control'): RequestTotals {
  return {
    requests: cell.count(`${group}Requests`),
    inputTokens: cell.count(`${group}Input`),
    cachedInputTokens: cell.count(`${group}Cached`),
  }
}

function controlOf(cell: Sums): { control: ControlTotals; treated: ControlTotals } {
  const group = groupOf(cell, 'control')
  const cost = cell.money('controlCost')
  const counterfactual = cell.money('controlCounterfactual')
  return {
    control: { ...group, cost: picoUsd(cost), counterfactual: picoUsd(counterfactual) },
    treated: {
      requests: cell.count('requests') - group.requests,
      inputTokens: cell.count('input') - group.inputTokens,
      cachedInputTokens: cell.count('cached') - group.cachedInputTokens,
      cost: picoUsd(cell.money('comparedCost') - cost),
      counterfactual: picoUsd(cell.money('counterfactual') - counterfactual),
    },
  }
}

function overheadOf(cell: Sums): OverheadTotals[] {
  const kinds = ['ping', 'prewarm', 'storage'] as const
  const totals = kinds.map((kind) => ({
    kind,
    rows: cell.count(`${kind}Rows`),
    cost: picoUsd(cell.money(`${kind}Cost`)),
    unpriced: cell.count(`${kind}Unpriced`),
    storageTokenHours: cell.count(`${kind}Storage`) / 1e6,
  }))
  return totals.filter(({ rows }) => rows > 0)
}

function finite(value: number | undefined): number | undefined {
  return value === Infinity ? undefined : value
}
