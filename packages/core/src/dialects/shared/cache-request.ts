import type { CacheRequest, PinnedPlace, ProviderPrompt } from '../../domain/cached-prompt.ts'
import type { Block, CacheMark, Conversation } from '../../domain/conversation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import type { DialectName } from '../../domain/prompt.ts'
import type { Warning } from '../../domain/warning.ts'
import { mostCacheMarks } from '../../rules/anthropic-defaults.ts'
import { entryLives } from '../../rules/cache-behaviour.ts'
import { placedBlocks } from './placed-blocks.ts'
import { providerPrompt } from './provider-prompt.ts'

/** By whose rules a local model counts its cache: by what it reuses, or as a provider would. */
export type LocalRules = 'native' | ProviderPrompt['provider']

export interface CacheRequestOptions {
  readonly rules: LocalRules
  /** A bare mark has another life in another dialect. */
  readonly dialect: DialectName
  readonly hasher: Hasher
}

interface Wanted extends PinnedPlace {
  readonly pointer: string
}

/**
 * What a conversation asks of the prefix cache of a local model. Marks keep the prefix before them for a while; of
 * more marks than providers take, the latest count. `undefined` = nothing beyond what every request gets.
 *
 * @throws IncipitError `invalid_request` for marks that the provider of `rules` refuses
 * @example cacheRequest(conversation, { rules: 'native', dialect: 'anthropic-messages', hasher }).request?.pins
 */
export function cacheRequest(
  conversation: Conversation,
  options: CacheRequestOptions,
): { readonly request: CacheRequest | undefined; readonly warnings: readonly Warning[] } {
  const { rules, hasher } = options
  const provider = rules === 'native' ? undefined : providerPrompt(conversation, { provider: rules, hasher })
  const wanted = isMarked(conversation) ? wantedPins(conversation, options) : []
  const dropped = wanted.slice(0, Math.max(0, wanted.length - mostCacheMarks.value))
  const pins = wanted.slice(dropped.length).map(({ place, ttlMs }) => ({ place, ttlMs }))
  const detail = `${wanted.length} marks, ${mostCacheMarks.value} taken`
  return {
    request: provider === undefined && pins.length === 0 ? undefined : { pins, provider },
    warnings: [
      ...dropped.map(({ pointer }): Warning => ({ code: 'mark_dropped', where: pointer, detail })),
      ...uncompared(conversation, options),
    ],
  }
}

/** What a client asks to be told and no rules of this model have an answer to. */
function uncompared({ cache }: Conversation, { rules, dialect }: CacheRequestOptions): Warning[] {
  const isMessages = dialect === 'anthropic-messages'
  if (cache.compareWith === undefined || rules === (isMessages ? 'anthropic' : 'openai')) return []
  const where = isMessages ? '/diagnostics' : '/prompt_cache_options/comparison_response_id'
  return [{ code: 'field_not_carried', where, detail: `a local model of ${rules} rules does not compare prompts so` }]
}

/** Cheap: most requests ask for nothing. */
function isMarked({ cache, tools, turns }: Conversation): boolean {
  return (
    followsEnd(cache) ||
    tools.some(({ mark }) => mark !== undefined) ||
    turns.some(({ blocks }) => blocks.some((block) => markWithin(block) !== undefined))
  )
}

/** OpenAI's implicit mode follows the end without a word: only what the client says is a wish. */
function followsEnd({ automatic, automaticPointer, retention }: Conversation['cache']): boolean {
  return automaticPointer !== undefined || automatic?.ttl !== undefined || retention !== undefined
}

/** What is marked, in prompt order; what follows the end comes last. */
function wantedPins(conversation: Conversation, { dialect, hasher }: CacheRequestOptions): Wanted[] {
  const { tools, cache } = conversation
  const bare = dialect === 'anthropic-messages' ? '5m' : '30m'
  const lifeOf = (ttl: CacheMark['ttl']): number => entryLives.value[ttl ?? bare].idleMs
  const wanted: Wanted[] = tools.flatMap(({ mark, pointer }, index) =>
    mark === undefined ? [] : [{ place: { kind: 'tool', index }, ttlMs: lifeOf(mark.ttl), pointer }],
  )
  const blocks = placedBlocks(conversation, hasher)
  for (const { block, place } of blocks) {
    const mark = markWithin(block)
    if (mark !== undefined) wanted.push({ place, ttlMs: lifeOf(mark.ttl), pointer: block.pointer })
  }
  const last = blocks.at(-1)
  if (last === undefined || !followsEnd(cache)) return wanted
  const { retention } = cache
  const kept = retention === '24h' || retention === 'in_memory'
  const ttlMs = kept ? entryLives.value[retention].idleMs : lifeOf(cache.automatic?.ttl)
  return [...wanted, { place: last.place, ttlMs, pointer: cache.automaticPointer ?? '/prompt_cache_retention' }]
}

/** The mark of a block, or of what stands in a tool result: that ends where the result does. */
function markWithin(block: Block): CacheMark | undefined {
  if (block.mark !== undefined || block.kind !== 'tool-result') return block.mark
  return block.blocks.findLast(({ mark }) => mark !== undefined)?.mark
}
