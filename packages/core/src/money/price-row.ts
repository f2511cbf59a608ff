import type { Provenance } from '../rules/fact.ts'
import type { DecimalText } from './decimal.ts'
import type { WriteTtl } from './price.ts'

/** Prices as lists print them: USD per million tokens, as decimal text. A rate left out is not known. */
export interface RateTexts {
  readonly input?: DecimalText
  /** Or `plain`: tokens that are read cost as much as those that are not. */
  readonly read?: DecimalText
  /** By life; `plain` = writing costs no more than reading anew. */
  readonly write?: Readonly<Partial<Record<WriteTtl, DecimalText>>> | 'plain'
  readonly output?: DecimalText
  /** USD per million tokens and hour. */
  readonly storage?: DecimalText
}

/** Hours of a day in UTC, from the first minute to the one before the last. */
export interface UtcHours {
  /** `HH:MM` */
  readonly from: string
  /** `HH:MM`, later than `from`; `24:00` = midnight. */
  readonly until: string
  /** 1 = Monday to 7 = Sunday; left out: every day. */
  readonly days?: readonly number[]
}

/**
 * What one model costs under some conditions. Of several rows whose conditions hold, the one with the latest first
 * day counts; on equal days the one with hours, then the one with a size, then the first.
 */
export interface PriceRow extends Provenance, RateTexts {
  readonly provider: string
  /** As `plainModelName` gives it; `*` = every model without a row of its own. */
  readonly model: string
  /** First and last day in force (UTC, YYYY-MM-DD); without them always. */
  readonly from?: string
  readonly until?: string
  /** Prompts of more tokens than this only; it is the whole request that costs so. */
  readonly over?: number
  /** Prompts of at most so many tokens only. */
  readonly upTo?: number
  /** Stands for the numbers of a row that somebody may change in place, so that its id changes with them. */
  readonly revision?: string
  /** In these hours only. */
  readonly hours?: readonly UtcHours[]
  /** What service tiers other than the standard one multiply every rate with. */
  readonly tiers?: Readonly<Record<string, DecimalText>>
  /** Names of rates or tiers here that no source confirms. */
  readonly unverified?: readonly string[]
  readonly note?: string
}
