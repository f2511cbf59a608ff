import { orgId, picoUsd } from '@incipit/core'
import type { Ledger, SummaryTotals } from '../ledger/port.ts'
import type { SpendSource } from './spend-book.ts'

/**
 * What the ledger says was spent: on requests and on what is none (pings, storage), wherever the cost is known.
 * @example const source = ledgerSpend(ledger)
 */
export function ledgerSpend(ledger: Pick<Ledger, 'summary'>): SpendSource {
  return {
    spent: async (spender, since) => {
      const whose = spender.kind === 'key' ? { keyName: spender.name } : { org: orgId(spender.name) }
      const question = { groupBy: [], interval: 'none', timeZone: 'UTC', limit: 1 } as const
      const { rows } = await ledger.summary({ ...question, filter: { ...whose, since } })
      return picoUsd(rows.reduce((sum, { totals }) => sum + costOf(totals), 0n))
    },
  }
}

function costOf({ cost, overhead }: Pick<SummaryTotals, 'cost' | 'overhead'>): bigint {
  return overhead.reduce<bigint>((sum, part) => sum + part.cost, cost)
}
