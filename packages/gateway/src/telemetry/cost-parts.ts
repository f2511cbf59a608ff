import type { LedgerEvent } from '../ledger/port.ts'

/** What money went to: parts of an answer, or the upkeep of a cache. `unsplit`: only the whole is known. */
export type CostPart = 'fresh' | 'read' | 'write' | 'output' | 'unsplit' | 'storage' | 'ping' | 'prewarm'

type Costs = Pick<LedgerEvent, 'kind' | 'cost' | 'costRead' | 'costWrite' | 'costOutput'>

/**
 * The cost of a row in parts that add up to it, none of them negative: counters only rise. No parts where it is not
 * known, or a credit.
 * @example costParts(event) // [['fresh', 100n], ['read', 10n], ['output', 50n]]
 */
export function costParts({ kind, cost, costRead, costWrite, costOutput }: Costs): readonly [CostPart, bigint][] {
  if (cost === undefined || cost < 0n) return []
  if (kind === 'storage' || kind === 'ping' || kind === 'prewarm') return [[kind, cost]]
  if (costRead === undefined && costWrite === undefined && costOutput === undefined) return [['unsplit', cost]]
  const parts: [CostPart, bigint][] = []
  let fresh: bigint = cost
  for (const [part, amount] of [
    ['read', costRead],
    ['write', costWrite],
    ['output', costOutput],
  ] as const) {
    if (amount === undefined) continue
    parts.push([part, amount])
    fresh -= amount
  }
  // Parts that are more than the whole are of another price than it.
  if (parts.some(([, amount]) => amount < 0n) || fresh < 0n) return [['unsplit', cost]]
  parts.push(['fresh', fresh])
  return parts
}
