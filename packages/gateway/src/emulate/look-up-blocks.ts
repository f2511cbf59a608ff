import type { CacheEntry, TimedCache } from './timed-cache.ts'
import type { TokenSequence } from './token-sequence.ts'

export interface BlockLookup {
  readonly sequence: TokenSequence
  /** Who shares: organisation, model, keys, switches. */
  readonly seed: string
  /** For people who look into the cache. */
  readonly scope: string
  /** The rising ends of blocks up to which entries may lie. */
  readonly positions: readonly number[]
  readonly ttlMs: number
  readonly lifeMs?: number
  readonly now: number
}

/**
 * The longest stored beginning of a prompt. What is read is refreshed; what is not there yet is stored by `commit`.
 * @example lookUpBlocks(cache, { sequence, seed, scope, positions: blockEnds(sequence.length, 16), ttlMs, now })
 */
export function lookUpBlocks(
  cache: TimedCache,
  { sequence, seed, scope, positions, ttlMs, lifeMs, now }: BlockLookup,
): { readonly cached: number; readonly commit: () => void } {
  const keys = sequence.hashes(seed, positions)
  const entries: CacheEntry[] = []
  for (const key of keys) {
    const entry = cache.find(key, now)
    if (entry === undefined) break
    entries.push(entry)
  }
  // From the end, so that the ends are evicted first: they are the least likely to be shared.
  for (const entry of entries.toReversed()) cache.refresh(entry, now)
  const life = lifeMs === undefined ? {} : { lifeMs }
  return {
    cached: entries.at(-1)?.tokens ?? 0,
    commit: () => {
      for (const [index, key] of [...keys.entries()].toReversed()) {
        const tokens = positions[index] ?? 0
        if (cache.find(key, now) === undefined) cache.write({ key, scope, tokens, ttlMs, ...life }, now)
      }
    },
  }
}

/**
 * The ends of full blocks before the last token: that one is always computed, it yields the first of the answer.
 * @example blockEnds(33, 16) // [16, 32]
 */
export function blockEnds(tokens: number, blockSize: number, least: number = 0): readonly number[] {
  const ends: number[] = []
  for (let end = blockSize; end < tokens; end += blockSize) if (end >= least) ends.push(end)
  return ends
}
