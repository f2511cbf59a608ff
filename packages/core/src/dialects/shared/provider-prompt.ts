import type { PlacedEnd, ProviderPrompt } from '../../domain/cached-prompt.ts'
import type { Block, CacheMark, Conversation, Tool } from '../../domain/conversation.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { frame, toHex } from '../../domain/hasher.ts'
import { mostCacheMarks } from '../../rules/anthropic-defaults.ts'
import type { PlacedBlock } from './placed-blocks.ts'
import { placedBlocks } from './placed-blocks.ts'

interface Chain {
  /** Adds content and returns the hash of everything up to its end. */
  add(...content: readonly string[]): string
}

/**
 * A conversation as the prefix cache of a provider sees it: the ends of its blocks with hashes of all before them,
 * and what the request marks.
 *
 * @throws IncipitError `invalid_request` for marks that the provider refuses
 * @example providerPrompt(conversation, { provider: 'anthropic', hasher }).ends
 */
export function providerPrompt(
  conversation: Conversation,
  options: { readonly provider: ProviderPrompt['provider']; readonly hasher: Hasher },
): ProviderPrompt {
  const { provider, hasher } = options
  return provider === 'anthropic' ? anthropicPrompt(conversation, hasher) : openaiPrompt(conversation, hasher)
}

function anthropicPrompt(conversation: Conversation, hasher: Hasher): ProviderPrompt {
  const { model, cache } = conversation
  const chain = chainOf(hasher, ['anthropic', model])
  const ends: PlacedEnd[] = conversation.tools.flatMap((tool, index) =>
    tool.kind === 'function' && tool.deferLoading
      ? []
      : [{ place: { kind: 'tool', index }, level: 'tools', hash: chain.add(toolContent(tool)), ...markOf(tool.mark) }],
  )
  const markable = new Set(ends)
  const switches = anthropicSwitches(conversation)
  chain.add('system', ...switches.system)
  let level: PlacedEnd['level'] = 'system'
  for (const placed of placedBlocks(conversation, hasher)) {
    const { block, turn, leading, place } = placed
    if (block.kind === 'text' && block.text === '') continue
    if (level === 'system' && !leading) chain.add((level = 'messages'), ...switches.messages)
    const hash = chain.add(turn.role === 'tool' ? 'user' : turn.role, ...blockContent(block))
    const end = { place, level, hash, ...markOf(block.mark) }
    ends.push(end)
    if (!unmarkable.has(block.kind)) markable.add(end)
  }
  const marked = cache.automaticPointer === undefined ? ends : withAutomatic(ends, markable, cache.automatic)
  checkMarks(marked)
  checkPrewarm(conversation)
  return {
    provider: 'anthropic',
    model,
    seed: '',
    ends: marked,
    mode: 'explicit',
    life: '5m',
    ...comparison(cache, { model_changed: model }),
  }
}

const unmarkable: ReadonlySet<Block['kind']> = new Set(['thinking', 'redacted-thinking', 'opaque', 'refusal'])

/** The mark that follows the end of the prompt stands at the last block that can carry one. */
function withAutomatic(
  ends: readonly PlacedEnd[],
  markable: ReadonlySet<PlacedEnd>,
  automatic: CacheMark | undefined,
): readonly PlacedEnd[] {
  const at = ends.findLastIndex((end) => markable.has(end))
  const life = anthropicLife(automatic?.ttl)
  const own = ends[at]?.mark
  if (own !== undefined && own.life !== life) {
    const message = `cache_control: the last block is marked for ${own.life} already, ${life} is asked for`
    throw new IncipitError('invalid_request', message, { param: '/cache_control' })
  }
  return ends.map((end, index) => (index === at ? { ...end, mark: { life } } : end))
}

function checkMarks(ends: readonly PlacedEnd[]): void {
  const marks = ends.filter(({ mark }) => mark !== undefined)
  if (marks.length > mostCacheMarks.value) {
    const message = `A maximum of ${mostCacheMarks.value} blocks with cache_control may be provided. Found ${marks.length}`
    throw new IncipitError('invalid_request', message)
  }
  const short = marks.findIndex(({ mark }) => mark?.life === '5m')
  if (short >= 0 && marks.slice(short).some(({ mark }) => mark?.life === '1h')) {
    throw new IncipitError('invalid_request', 'a cache_control of ttl 1h must not come after one of 5m')
  }
}

/** What a request that only stores its prompt cannot ask for as well. */
function checkPrewarm({ stream, settings }: Conversation): void {
  if (settings.maxOutputTokens !== 0) return
  const { toolChoice, reasoning, format } = settings
  const thinks = reasoning?.thinking !== undefined && reasoning.thinking !== 'disabled'
  const asked = [
    stream ? 'stream' : [],
    thinks ? 'thinking' : [],
    format === undefined ? [] : 'output_config.format',
    toolChoice === undefined || toolChoice === 'auto' || toolChoice === 'none' ? [] : 'tool_choice',
  ].flat()
  const [first] = asked
  if (first === undefined) return
  const message = `max_tokens: 0 only stores the prompt, ${first} cannot go with it`
  throw new IncipitError('invalid_request', message, { param: `/${first.replaceAll('.', '/')}` })
}

/** The life that this provider has for one that may come from another dialect: the shortest that is long enough. */
function anthropicLife(ttl: CacheMark['ttl']): '5m' | '1h' {
  return ttl === undefined || ttl === '5m' ? '5m' : '1h'
}

function markOf(mark: CacheMark | undefined): { mark?: PlacedEnd['mark'] } {
  return mark === undefined ? {} : { mark: { life: anthropicLife(mark.ttl) } }
}

/** What makes another context without being content, at the level from which on it does. A default is no switch. */
function anthropicSwitches(conversation: Conversation): {
  readonly system: readonly string[]
  readonly messages: readonly string[]
} {
  const { settings, extras, turns } = conversation
  const { reasoning, toolChoice = 'auto', parallelToolCalls, format } = settings
  const speed = extras.find(({ name }) => name === 'speed')?.json ?? '"standard"'
  const thinking = reasoning?.thinking === 'disabled' ? undefined : reasoning?.thinking
  return {
    system: [speed],
    messages: [
      toolChoice === 'auto' && parallelToolCalls !== false ? '' : JSON.stringify([toolChoice, parallelToolCalls]),
      String(turns.some(({ blocks }) => blocks.some(holdsImage))),
      thinking ?? '',
      String(thinking === undefined ? '' : reasoning?.budgetTokens),
      reasoning?.effort === 'high' ? '' : (reasoning?.effort ?? ''),
      format?.kind === 'schema' ? format.schemaJson : '',
    ],
  }
}

function holdsImage(block: Block): boolean {
  return block.kind === 'image' || (block.kind === 'tool-result' && block.blocks.some(holdsImage))
}

function openaiPrompt(conversation: Conversation, hasher: Hasher): ProviderPrompt {
  const { model, cache, settings, tools } = conversation
  const mode = cache.mode ?? 'implicit'
  const chain = chainOf(hasher, ['openai'])
  const ends: PlacedEnd[] = tools.map((tool, index) => ({
    place: { kind: 'tool', index },
    level: 'tools',
    hash: chain.add(toolContent(tool)),
  }))
  if (settings.parallelToolCalls === false) chain.add('serial')
  if (settings.format?.kind === 'schema') chain.add('format', settings.format.name ?? '', settings.format.schemaJson)
  if (settings.format?.kind === 'json') chain.add('format')
  const blocks = placedBlocks(conversation, hasher)
  for (const [index, placed] of blocks.entries()) {
    const { block, turn, last, leading, place } = placed
    const level = leading ? 'system' : 'messages'
    const hash = chain.add(turn.role, turn.name ?? '', ...blockContent(block))
    const mark = block.mark === undefined ? {} : { mark: { life: openaiLife(block.mark.ttl) } }
    const ending = last && endsImplicitly(placed, blocks[index + 1])
    ends.push({ place, level, hash, ending, leading: leading && last, ...mark })
  }
  const { retention } = cache
  const life = retention === '24h' || retention === 'in_memory' ? retention : openaiLife(cache.automatic?.ttl)
  // A local model does not see the form of its answer in the prompt.
  const form = [String(settings.parallelToolCalls !== false), JSON.stringify(settings.format ?? null)]
  const divides = [...form, settings.serviceTier ?? 'auto', settings.reasoning?.effort ?? '', settings.verbosity ?? '']
  const seed = chainOf(hasher, ['seed']).add(model, cache.key ?? '', mode, ...divides)
  const { format, reasoning, verbosity, serviceTier, parallelToolCalls } = settings
  const traits = {
    model_changed: model,
    prompt_cache_key_changed: cache.key ?? '',
    service_tier_changed: serviceTier ?? 'auto',
    tools_changed: chainOf(hasher, []).add(...tools.map(toolContent), String(parallelToolCalls !== false)),
    text_format_changed: format?.kind === 'schema' ? format.schemaJson : (format?.kind ?? ''),
    reasoning_effort_changed: reasoning?.effort ?? '',
    verbosity_changed: verbosity ?? '',
  }
  return { provider: 'openai', model, seed, ends, mode, life, ...comparison(cache, traits) }
}

function comparison(
  { compareWith }: Conversation['cache'],
  traits: ProviderPrompt['traits'],
): Pick<ProviderPrompt, 'traits' | 'compareWith'> {
  return { traits, compareWith }
}

/** After a user's message, and after the last of several tool results. */
function endsImplicitly({ turn }: PlacedBlock, next: PlacedBlock | undefined): boolean {
  if (turn.role === 'user') return true
  return turn.role === 'tool' && next?.turn.role !== 'tool'
}

function openaiLife(ttl: CacheMark['ttl']): '30m' | '12h' | undefined {
  if (ttl === '12h') return '12h'
  return ttl === undefined ? undefined : '30m'
}

function chainOf(hasher: Hasher, seed: readonly string[]): Chain {
  let hash = hasher.sha256(frame(seed))
  return {
    add: (...content) => {
      hash = hasher.sha256(frame([hash, ...content]))
      return toHex(hash)
    },
  }
}

function toolContent(tool: Tool): string {
  if (tool.kind === 'hosted') return tool.json
  return JSON.stringify([tool.name, tool.description, tool.schemaJson, tool.strict])
}

function blockContent(block: Block): string[] {
  switch (block.kind) {
    case 'text':
    case 'refusal':
      return [block.kind, block.text]
    case 'image':
      return [block.kind, JSON.stringify(block.source), block.detail ?? '']
    case 'document':
      return [block.kind, JSON.stringify(block.source), block.title ?? '']
    case 'audio':
      return [block.kind, block.data, block.format]
    case 'thinking':
    case 'redacted-thinking':
    case 'opaque':
      return [block.kind, block.json]
    case 'tool-call':
      return [block.kind, block.id, block.name, block.arguments]
    case 'tool-result':
      return [block.kind, block.callId, String(block.isError), ...block.blocks.flatMap(blockContent)]
    default:
      return block satisfies never
  }
}
