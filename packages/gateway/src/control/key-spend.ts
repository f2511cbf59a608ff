import type { PicoUsd } from '@incipit/core'
import type { House } from '../house.ts'
import type { KeySpend } from '../keys/key-shape.ts'
import type { BudgetPeriod } from '../limits/limits.ts'
import type { Spender } from '../limits/spend-book.ts'

/** What a key or an organisation has spent this day and month (UTC) and in all; what the ledger does not say is not known. */
export async function spendOf(spender: Spender, { limiter }: House): Promise<KeySpend> {
  const read = async (period: BudgetPeriod): Promise<PicoUsd | undefined> => {
    const { amount, verified } = await limiter.spend.of(spender, period)
    return verified ? amount : undefined
  }
  const [day, month, total] = await Promise.all([read('day'), read('month'), read('total')])
  return { day, month, total }
}
