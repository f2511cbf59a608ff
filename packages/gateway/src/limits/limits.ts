import type { PicoUsd } from '@incipit/core'
import { picoUsd } from '@incipit/core'

/** What a key, or all keys of an organisation together, may use. `undefined` = no limit. */
export interface Limits {
  /** Requests a minute. */
  readonly rpm?: number | undefined
  /** Tokens a minute, of prompts and answers. */
  readonly tpm?: number | undefined
  /** `uncached`: prompt tokens read from a prefix cache do not count towards `tpm`. */
  readonly tpmCounts: 'all' | 'uncached'
  /** Requests at the same time. */
  readonly parallel?: number | undefined
  /** Budgets in USD: a request that begins when one is used up is refused. Days and months are those of UTC. */
  readonly usdPerDay?: number | undefined
  readonly usdPerMonth?: number | undefined
  readonly usdTotal?: number | undefined
  /** Soft budgets: beyond them requests carry a warning. */
  readonly softUsdPerDay?: number | undefined
  readonly softUsdPerMonth?: number | undefined
  readonly softUsdTotal?: number | undefined
}

export const noLimits: Limits = { tpmCounts: 'all' }

export type BudgetPeriod = 'day' | 'month' | 'total'

/** One budget of some limits. */
export interface Budget {
  /** As configurations and requests name it: `usd_per_day`. */
  readonly name: string
  readonly period: BudgetPeriod
  readonly soft: boolean
  readonly usd: PicoUsd
}

/**
 * The budgets among some limits, hard ones first.
 * @example budgetsOf({ tpmCounts: 'all', usdPerDay: 5 })[0].name // 'usd_per_day'
 */
export function budgetsOf(limits: Limits): readonly Budget[] {
  const known = remembered.get(limits)
  if (known !== undefined) return known
  const budgets = table.flatMap(([field, name, period, soft]): Budget[] => {
    const amount = limits[field]
    return amount === undefined ? [] : [{ name, period, soft, usd: picoOf(amount) }]
  })
  remembered.set(limits, budgets)
  return budgets
}

/** Limits do not change, and are asked for with every request. */
const remembered = new WeakMap<Limits, readonly Budget[]>()

const table = [
  ['usdPerDay', 'usd_per_day', 'day', false],
  ['usdPerMonth', 'usd_per_month', 'month', false],
  ['usdTotal', 'usd_total', 'total', false],
  ['softUsdPerDay', 'soft_usd_per_day', 'day', true],
  ['softUsdPerMonth', 'soft_usd_per_month', 'month', true],
  ['softUsdTotal', 'soft_usd_total', 'total', true],
] as const

/** Budgets are set to the millionth of a dollar. */
function picoOf(dollars: number): PicoUsd {
  return picoUsd(BigInt(Math.round(dollars * 1e6)) * 1_000_000n)
}
