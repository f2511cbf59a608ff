import type { PicoUsd } from '../domain/money.ts'
import type { EpochMs } from '../domain/units.ts'
import type { Certainty } from '../rules/fact.ts'

/** What a price depends on. */
export interface PriceQuery {
  /** Whose price list applies; `undefined` = no company that is known. */
  readonly provider: string | undefined
  /** As the provider calls it; a vendor path, a date, dots or dashes make no difference. */
  readonly model: string
  readonly at: EpochMs
  /** The whole input: some lists reprice the whole request beyond a size. `undefined` = not known. */
  readonly promptTokens: number | undefined
  /** As the provider names it; `undefined` = the standard one. */
  readonly serviceTier?: string | undefined
  /** Name of the upstream in the configuration: an operator may price it by that. */
  readonly upstream?: string | undefined
}

/** The lives for which a written token has a price of its own. */
export type WriteTtl = '5m' | '30m' | '1h' | '12h'

export const writeTtls: readonly WriteTtl[] = ['5m', '30m', '1h', '12h']

/** Prices of one token each; `undefined` = not known, which is not free. */
export interface Rates {
  readonly input: PicoUsd | undefined
  readonly read: PicoUsd | undefined
  readonly write5m: PicoUsd | undefined
  readonly write30m: PicoUsd | undefined
  readonly write1h: PicoUsd | undefined
  readonly write12h: PicoUsd | undefined
  readonly output: PicoUsd | undefined
  readonly storagePerTokenHour: PicoUsd | undefined
}

/** The rates that apply to one request, whole. */
export interface Price extends Rates {
  /** List, provider, model and first day; then what narrows it: `local/openai/gpt-6-sol@2026-11-20>272000+batch`. */
  readonly id: string
  /** URL of the page, or where in which file. */
  readonly source: string
  /** Day the source showed the price, as YYYY-MM-DD. */
  readonly asOf: string
  readonly certainty: Certainty
  /** Rates or tiers that nobody has confirmed. */
  readonly unverified: readonly string[]
}

/** Finds the price of a request; `undefined` = not known. */
export interface PriceBook {
  find(query: PriceQuery): Price | undefined
}
