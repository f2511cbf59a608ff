import type { CacheEntry, TimedCache } from '../timed-cache.ts'
import type { Breakpoint } from './find-breakpoints.ts'
import type { AnthropicModel } from './models.ts'
import type { PromptBlock } from './prompt-blocks.ts'
import { cacheRules } from './rules.ts'

/** How the tokens of one prompt are billed; they add up to the prompt. */
export interface CachedUsage {
  readonly fresh: number
  readonly read: number
  readonly write5m: number
  readonly write1h: number
}

interface Lookup {
  readonly blocks: readonly PromptBlock[]
  readonly breakpoints: readonly Breakpoint[]
  readonly model: AnthropicModel
  readonly scope: string
  /** When the request began: times to live count from there. */
  readonly now: number
}

/**
 * Looks a prompt up. What is read is refreshed at once; what is to be stored waits for `commit`, because an entry
 * can be read only after the first answer has begun.
 */
export function lookUp(
  cache: TimedCache,
  lookup: Lookup,
): { readonly usage: CachedUsage; readonly commit: () => void } {
  const { blocks, breakpoints, model, now } = lookup
  const hits = breakpoints.flatMap(({ index }) => hitFrom(cache, blocks, index, now))
  for (const { entry } of hits) cache.refresh(entry, now)
  const read = Math.max(0, ...hits.map(({ end }) => end))
  const writes = breakpoints
    .map(({ index, ttl }) => ({ ttl, hash: blocks[index]?.hash ?? '', end: blocks[index]?.end ?? 0 }))
    // Below the minimum of the model nothing is stored, and nothing is said about it.
    .filter(({ end }) => end > read && end >= model.minTokens)
  return {
    usage: split({ total: blocks.at(-1)?.end ?? 0, read, writes }),
    commit: () => {
      for (const { hash, end, ttl } of writes) {
        cache.write({ key: hash, scope: lookup.scope, tokens: end, ttlMs: cacheRules.ttls.value[ttl] }, now)
      }
    },
  }
}

/** The longest entry that an earlier request wrote within reach of a breakpoint. */
function hitFrom(
  cache: TimedCache,
  blocks: readonly PromptBlock[],
  from: number,
  now: number,
): readonly { end: number; entry: CacheEntry }[] {
  const first = Math.max(0, from - cacheRules.lookbackBlocks.value + 1)
  for (let index = from; index >= first; index -= 1) {
    const block = blocks[index]
    const entry = block === undefined ? undefined : cache.find(block.hash, now)
    if (block !== undefined && entry !== undefined) return [{ end: block.end, entry }]
  }
  return []
}

/**
 * With A the end of the highest hit, B that of the last one-hour breakpoint after A, C that of the last breakpoint:
 * A is read, B − A written for an hour, C − B for five minutes, the rest is plain input.
 */
function split(counted: {
  readonly total: number
  readonly read: number
  readonly writes: readonly { readonly ttl: Breakpoint['ttl']; readonly end: number }[]
}): CachedUsage {
  const { total, read: a, writes } = counted
  const b = Math.max(a, ...writes.filter(({ ttl }) => ttl === '1h').map(({ end }) => end))
  const c = Math.max(b, ...writes.map(({ end }) => end))
  return { fresh: total - c, read: a, write1h: b - a, write5m: c - b }
}
