import type { ChatPrompt } from '../chat/chat-prompt.ts'
import { digest } from '../digest.ts'
import type { JsonObject } from '../json.ts'
import { objectOf, textOf } from '../json.ts'
import { blockEnds, lookUpBlocks } from '../look-up-blocks.ts'
import type { EmulatorOptions } from '../provider.ts'
import type { TimedCache } from '../timed-cache.ts'
import type { MachineRouter } from './machine-router.ts'
import type { OpenAiModel } from './models.ts'
import { cacheRules } from './rules.ts'

/** Both are inside the prompt's total. */
export interface CachedTokens {
  readonly cached: number
  /** `undefined` on models whose writes are not counted. */
  readonly written: number | undefined
}

export interface CacheLookup {
  readonly body: JsonObject
  readonly prompt: ChatPrompt
  readonly model: OpenAiModel
  readonly org: string
  /** Switches that stand before the prompt: effort, verbosity, service tier. */
  readonly switches: readonly string[]
  readonly now: number
}

export interface CacheAnswer {
  readonly usage: CachedTokens
  /** Stores what this request leaves; called when its answer begins. */
  readonly commit: () => void
}

interface Ports {
  readonly cache: TimedCache
  readonly router: MachineRouter
  readonly options: EmulatorOptions
}

/** Looks a prompt up by the rules of the model's generation; what is read is refreshed. */
export function lookUp(ports: Ports, lookup: CacheLookup): CacheAnswer {
  const { body, prompt, model, org, switches, now } = lookup
  const key = textOf(body['prompt_cache_key']) ?? ''
  const seed = digest(org, String(body['model']), ...switches)
  const [opening = ''] = prompt.sequence.hashes(seed, [
    Math.min(prompt.sequence.length, cacheRules.routingTokens.value),
  ])
  const machine = ports.router.machineFor(digest(opening, key), now)
  const scope = `${org}/${model.id}/machine-${machine.slice(0, 8)}`
  if (model.caching === 'automatic') return lookUpAutomatic(ports, lookup, { seed: digest(seed, machine), scope })
  const mode = textOf(objectOf(body['prompt_cache_options'])['mode']) ?? 'implicit'
  return lookUpExplicit(ports.cache, lookup, { seed: digest(seed, machine, key, mode), scope, mode })
}

/** Before 5.6: entries at every step, the longest one is read, writing costs nothing and is not counted. */
function lookUpAutomatic(
  { cache, options }: Ports,
  { body, prompt, model, now }: CacheLookup,
  place: { readonly seed: string; readonly scope: string },
): CacheAnswer {
  const { sequence } = prompt
  const positions = blockEnds(sequence.length, model.stepTokens, cacheRules.minTokens.value)
  const lives = cacheRules.retentions.value[retentionOf(body, model, options)]
  const { cached, commit } = lookUpBlocks(cache, { sequence, positions, ...place, ...lives, now })
  return { usage: { cached, written: undefined }, commit }
}

function retentionOf(
  body: JsonObject,
  model: OpenAiModel,
  { zeroDataRetention }: EmulatorOptions,
): 'in_memory' | '24h' {
  const asked = body['prompt_cache_retention']
  if (asked === 'in_memory' || asked === '24h') return asked
  return zeroDataRetention === true && model.retentions.includes('in_memory') ? 'in_memory' : '24h'
}

/** From 5.6: entries at message endings and breakpoints, at most four written by a request. */
function lookUpExplicit(
  cache: TimedCache,
  { body, prompt, now }: CacheLookup,
  { seed, scope, mode }: { readonly seed: string; readonly scope: string; readonly mode: string },
): CacheAnswer {
  const reachable = rising(
    mode === 'explicit' ? breakpointsInReach(prompt) : [...endingsInReach(prompt), ...breakpointsInReach(prompt)],
  )
  const keys = prompt.sequence.hashes(seed, reachable)
  const hits = reachable.flatMap((position, index) => {
    const entry = cache.find(keys[index] ?? '', now)
    return entry === undefined ? [] : [{ position, entry }]
  })
  for (const { entry } of hits) cache.refresh(entry, now)
  const cached = Math.max(0, ...hits.map(({ position }) => position))
  const writes = rising(positionsToWrite(prompt, mode)).filter((position) => position > cached)
  const writeKeys = prompt.sequence.hashes(seed, writes)
  const ttlMs =
    cacheRules.ttls.value[objectOf(body['prompt_cache_options'])['ttl'] === '12h' ? '12h' : cacheRules.defaultTtl.value]
  return {
    usage: { cached, written: Math.max(0, (writes.at(-1) ?? cached) - cached) },
    commit: () => {
      for (const [index, key] of writeKeys.entries())
        cache.write({ key, scope, tokens: writes[index] ?? 0, ttlMs }, now)
    },
  }
}

function endingsInReach({ endings, developerEnd }: ChatPrompt): readonly number[] {
  const latest = endings.slice(-1 - cacheRules.lookupEndings.value)
  return developerEnd === undefined ? latest : [developerEnd, ...latest]
}

function breakpointsInReach({ breakpoints }: ChatPrompt): readonly number[] {
  return [...breakpoints.slice(0, cacheRules.lookupFirst.value), ...breakpoints.slice(-cacheRules.lookupLatest.value)]
}

/** Implicit mode writes the latest ending and then the latest three breakpoints; explicit mode four breakpoints. */
function positionsToWrite({ endings, breakpoints }: ChatPrompt, mode: string): readonly number[] {
  const { value: most } = cacheRules.maxWrites
  return mode === 'explicit' ? breakpoints.slice(-most) : [...breakpoints.slice(1 - most), ...endings.slice(-1)]
}

function rising(positions: readonly number[]): readonly number[] {
  return [...new Set(positions)].filter((position) => position >= cacheRules.minTokens.value).sort((a, b) => a - b)
}
