import type { EpochMs, Warning } from '@incipit/core'
import { IncipitError, usdText } from '@incipit/core'
import type { Budget } from './limits.ts'
import { budgetsOf } from './limits.ts'
import type { SpendBook } from './spend-book.ts'
import { endOf } from './spend-book.ts'
import type { Subject } from './subjects.ts'

/**
 * Refuses a request of whoever has used up a budget. Costs are known when an answer is complete: requests that are
 * under way when a budget runs out are finished, and may go beyond it together.
 *
 * @returns what the caller should be told: soft budgets that are used up, hard ones that could not be verified
 * @throws IncipitError `budget_exceeded`
 */
export async function checkBudgets(subject: Subject, spend: SpendBook, now: EpochMs): Promise<Warning[]> {
  const warnings: Warning[] = []
  for (const budget of budgetsOf(subject.limits)) {
    const { amount, verified } = await spend.of(subject.spender, budget.period)
    if (amount >= budget.usd) {
      if (!budget.soft) throw exceeded(subject, budget, usdText(amount), now)
      warnings.push({ code: 'soft_budget', where: budget.name, detail: spentText(subject, budget, usdText(amount)) })
    } else if (!verified && !budget.soft) {
      const detail = `the ledger did not say what ${subject.label} has spent; served nevertheless`
      warnings.push({ code: 'budget_unverified', where: budget.name, detail })
    }
  }
  return warnings
}

function exceeded(subject: Subject, budget: Budget, spent: string, now: EpochMs): IncipitError {
  const message = spentText(subject, budget, spent)
  const end = endOf(budget.period, now)
  const told = { param: budget.name, retryInVain: true }
  if (end === undefined) return new IncipitError('budget_exceeded', message, told)
  const retryAfterSeconds = Math.max(1, Math.ceil((end - now) / 1_000))
  return new IncipitError('budget_exceeded', message, { ...told, retryAfterSeconds })
}

function spentText(subject: Subject, { period, usd }: Budget, spent: string): string {
  return `${subject.label} has spent ${spent} USD ${inWords[period]}, ${usdText(usd)} are allowed`
}

const inWords = { day: 'this day (UTC)', month: 'this month (UTC)', total: 'in all' } as const
