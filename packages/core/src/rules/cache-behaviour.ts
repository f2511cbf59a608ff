import type { EpochMs } from '../domain/units.ts'
import type { CacheTtl } from './cache-rule.ts'
import type { Fact } from './fact.ts'
import { findRule } from './find-rule.ts'

/** Providers whose prefix cache `ProviderCache` can keep. */
export type ModelledProvider = 'anthropic' | 'openai'

/** How long an entry lives without use, and at most. */
export interface EntryLife {
  readonly idleMs: number
  readonly mostMs: number
}

/** How the prefix cache of one provider behaves for one model: what `ProviderCache` goes by. */
export interface CacheBehaviour {
  readonly provider: ModelledProvider
  /**
   * Where entries lie: at marked blocks only; at marked blocks and at the ends of messages; or at every step of
   * so many tokens.
   */
  readonly places: 'breakpoints' | 'endings' | 'steps'
  /** Shorter prefixes are not stored, silently. */
  readonly minTokens: number
  /** Between two entries, where they lie at steps. */
  readonly stepTokens: number
  /** Entries that one request stores at most, where it says itself where. */
  readonly maxWrites: number
  /** Blocks, that of the mark included, that are looked through for an earlier entry. */
  readonly lookbackBlocks: number
  /** Which marks and message ends are looked up: the first marks, the latest marks, the latest ends but one. */
  readonly reach: { readonly firstMarks: number; readonly latestMarks: number; readonly earlierEndings: number }
  readonly lives: Readonly<Record<CacheTtl['name'], EntryLife>>
  readonly bareLife: CacheTtl['name']
}

const anthropicGuide = 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching'
const openaiGuide = 'https://developers.openai.com/api/docs/guides/prompt-caching'
const minute = 60_000
const hour = 60 * minute

/** Blocks looked through from a mark backwards; the block of the mark counts. */
export const lookbackBlocks: Fact<number> = {
  value: 20,
  source: anthropicGuide,
  asOf: '2026-11-20',
  certainty: 'V',
}

/** The guide says 50 of the latest marks, the API reference of August 2026 says 80. */
export const openaiReach: Fact<CacheBehaviour['reach']> = {
  value: { firstMarks: 2, latestMarks: 50, earlierEndings: 20 },
  source: openaiGuide,
  asOf: '2026-11-20',
  certainty: 'U',
}

export const openaiMaxWrites: Fact<number> = { value: 4, source: openaiGuide, asOf: '2026-11-20', certainty: 'V' }

/**
 * Lives of entries. Stated as ranges ("5-10 minutes idle, at most an hour", "up to 24 hours", "at least 30 minutes"):
 * the longest of each that is stated, and exactly the 30 minutes.
 */
export const entryLives: Fact<CacheBehaviour['lives']> = {
  value: {
    '5m': endless(5 * minute),
    '30m': endless(30 * minute),
    '1h': endless(hour),
    '12h': endless(12 * hour),
    in_memory: { idleMs: 10 * minute, mostMs: hour },
    '24h': { idleMs: 24 * hour, mostMs: 24 * hour },
  },
  source: openaiGuide,
  asOf: '2026-11-20',
  certainty: 'V',
}

/** Where no minimum of a model is known: the one that most models of both providers have. */
export const usualMinTokens: Fact<number> = { value: 1_024, source: openaiGuide, asOf: '2026-11-20', certainty: 'U' }

/**
 * How the cache of a provider behaves for a model that its clients name.
 * @example cacheBehaviour('openai', 'gpt-4o', clock.now()).places // 'steps'
 */
export function cacheBehaviour(provider: ModelledProvider, model: string, at: EpochMs): CacheBehaviour {
  const rule = findRule(provider, model, at)
  const common = {
    provider,
    minTokens: rule?.minTokens ?? usualMinTokens.value,
    stepTokens: rule?.stepTokens ?? 1,
    maxWrites: openaiMaxWrites.value,
    lookbackBlocks: lookbackBlocks.value,
    reach: openaiReach.value,
    lives: entryLives.value,
  }
  if (provider === 'anthropic') return { ...common, places: 'breakpoints', bareLife: '5m' }
  if (rule?.stepTokens === undefined) return { ...common, places: 'endings', bareLife: '30m' }
  return { ...common, places: 'steps', bareLife: '24h' }
}

function endless(idleMs: number): EntryLife {
  return { idleMs, mostMs: Infinity }
}
