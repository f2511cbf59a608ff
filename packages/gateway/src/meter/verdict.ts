import type { TokenCount } from '@incipit/core'
import type { LedgerEvent, Reuse, Verdict } from '../ledger/port.ts'

/** What is known of a request when it has been answered. */
export interface Outcome {
  readonly cachedTokens: TokenCount | undefined
  readonly expectedTokens: TokenCount | undefined
  readonly inputTokens: TokenCount | undefined
  readonly answered: boolean
  readonly prefixCache: 'on' | 'off'
  readonly reuse: Reuse | undefined
  /** Shortest prefix that the model caches; asked for only where nothing was read. */
  readonly minTokens: () => number | undefined
}

/**
 * Warm or cold by what was read from a prefix cache, and the cause where it is certain. Not reported is no verdict.
 * @example judge(outcome) // { verdict: 'cold', cause: 'cold_first_use' }
 */
export function judge(outcome: Outcome): Pick<LedgerEvent, 'verdict' | 'cause'> {
  const verdict = verdictOf(outcome)
  return { verdict, cause: causeOf(outcome, verdict) }
}

function verdictOf({ cachedTokens, expectedTokens }: Outcome): Verdict | undefined {
  if (cachedTokens === undefined) return undefined
  if (cachedTokens === 0) return 'cold'
  return expectedTokens !== undefined && cachedTokens < expectedTokens ? 'partial' : 'warm'
}

function causeOf(outcome: Outcome, verdict: Verdict | undefined): string | undefined {
  const { answered, prefixCache, inputTokens, reuse } = outcome
  if (verdict === undefined) return answered ? 'not_reported' : undefined
  if (verdict !== 'cold') return verdict === 'warm' ? 'warm' : undefined
  if (prefixCache === 'off') return 'not_enabled'
  if (inputTokens !== undefined && inputTokens < (outcome.minTokens() ?? 0)) return 'below_minimum'
  return reuse === 'first' ? 'cold_first_use' : undefined
}
