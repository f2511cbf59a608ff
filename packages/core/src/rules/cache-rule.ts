import type { Milliseconds } from '../domain/units.ts'
import type { Provenance } from './fact.ts'

/** Providers whose prefix-cache rules are known; a company, unlike a dialect. */
export type ProviderName = 'anthropic' | 'openai' | 'gemini' | 'fireworks' | 'workers-ai'

/** A life that a provider offers for cached prefixes. */
export interface CacheTtl {
  readonly name: '5m' | '30m' | '1h' | '12h' | '24h' | 'in_memory'
  /** Shortest life after the last use that the provider states. */
  readonly atLeast: Milliseconds
}

/** How a provider caches prefixes of one model, while the rule is in force. */
export interface CacheRule extends Provenance {
  readonly provider: ProviderName
  /** Model id with dashes for dots; `*` = every model of the provider without a rule of its own. */
  readonly model: string
  /** First and last day in force (UTC, YYYY-MM-DD); without them always. */
  readonly from?: string
  readonly until?: string
  /** Shortest prefix, in tokens, that is cached; `undefined` = not published. */
  readonly minTokens: number | undefined
  /** Cached tokens are reported in multiples of this; `undefined` = not published, or no step. */
  readonly stepTokens: number | undefined
  /** Empty where no life is published. */
  readonly ttls: readonly CacheTtl[]
  /** Price of a written token in units of a plain one, by TTL; empty where writing costs nothing extra. */
  readonly writeMultiplier: Readonly<Partial<Record<CacheTtl['name'], number>>>
  /** Price of a read token in units of a plain one; `undefined` = by price list only. */
  readonly readMultiplier: number | undefined
}
