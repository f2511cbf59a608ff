import type { CacheControls, CacheMark, Conversation, ExtraField } from '../../domain/conversation.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { Prompt } from '../../domain/prompt.ts'
import type { Field } from '../shared/field.ts'
import { readTurns } from '../shared/responses/read-input.ts'
import type { ReadContext } from '../shared/responses/read-parts.ts'
import { logprobsInclude, readSettings, warnOfOthers } from '../shared/responses/read-settings.ts'
import { readTools } from '../shared/responses/read-tools.ts'
import { samplingMembers } from '../shared/sampling.ts'
import { bodyOf } from '../shared/scanned.ts'

const ttls = ['5m', '30m', '1h', '12h'] as const

/** What another part of a conversation holds, or the gateway itself. */
const placed: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'tools',
  'instructions',
  'input',
  'max_output_tokens',
  ...samplingMembers,
  'top_logprobs',
  'stop',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'service_tier',
  'user',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'prompt_cache_isolation_key',
  'incipit',
])

/** What a body may point to instead of saying it: only the provider that keeps it can answer. */
const heldElsewhere = {
  previous_response_id: 'the turns before are kept by the provider',
  conversation: 'the conversation is kept by the provider',
  prompt: 'the prompt template is kept by the provider',
} as const

/** All that a Responses body says. @throws IncipitError also where part of it is kept by the provider */
export function read(prompt: Prompt): Conversation {
  const root = bodyOf(prompt)
  for (const [name, what] of Object.entries(heldElsewhere)) root.find(name)?.unsupported(what)
  if (prompt.model === '') root.get('model')
  const options = root.find('prompt_cache_options')?.object()
  const mark: CacheMark = { ttl: options?.find('ttl')?.oneOf(ttls) }
  const context: ReadContext = { mark, warnings: [] }
  if (options !== undefined) warnOfOthers(options, ['mode', 'ttl', 'prewarm'], context)
  const turns = readTurns(root, context)
  if (turns.length === 0) {
    throw new IncipitError('invalid_request', '/input has 0 elements, expected at least 1', { param: '/input' })
  }
  const settings = readSettings(root, context)
  return {
    model: prompt.model,
    stream: prompt.stream,
    tools: readTools(root, context),
    turns,
    settings,
    cache: readCache(root, mark),
    extras: readExtras(root, settings.toolChoice !== undefined),
    warnings: context.warnings,
  }
}

function readCache(root: Field, mark: CacheMark): CacheControls {
  const mode = root.find('prompt_cache_options')?.find('mode')?.oneOf(['implicit', 'explicit'])
  return {
    key: root.find('prompt_cache_key')?.string(),
    retention: root.find('prompt_cache_retention')?.string(),
    mode,
    automatic: mode === 'explicit' ? undefined : mark,
    compareWith: root.find('prompt_cache_options')?.find('comparison_response_id')?.string(),
  }
}

function readExtras(root: Field, hasToolChoice: boolean): ExtraField[] {
  const { document } = root
  const names = new Set(document.members(root.node).map(({ key }) => document.string(key)))
  if (hasToolChoice) names.delete('tool_choice')
  // It is the user of the settings where there is no `user`.
  if (root.find('user') === undefined) names.delete('safety_identifier')
  return [...names].flatMap((name) => {
    const field = placed.has(name) ? undefined : root.find(name)
    if (field === undefined || (name === 'include' && includesLogprobsOnly(field))) return []
    return [{ name, pointer: field.pointer, json: field.raw }]
  })
}

function includesLogprobsOnly(include: Field): boolean {
  return include.elements().every((entry) => entry.string() === logprobsInclude)
}
