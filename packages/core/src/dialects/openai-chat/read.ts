import type { CacheControls, CacheMark, Conversation } from '../../domain/conversation.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { ttlOf } from '../shared/cache-marks.ts'
import type { Reading } from '../shared/chat-parts.ts'
import { messagesOf } from '../shared/chat-segments.ts'
import { chatSettings, readStreamOptions, settingMembers } from '../shared/chat-settings.ts'
import { chatTools } from '../shared/chat-tools.ts'
import { chatTurn } from '../shared/chat-turns.ts'
import type { Field } from '../shared/field.ts'
import { extraFields, leftOver } from '../shared/left-over.ts'
import { topLogprobsOf } from '../shared/sampling.ts'
import { bodyOf } from '../shared/scanned.ts'
import { appendAll } from '../../domain/append.ts'

/** Members that are read; `prompt_cache_isolation_key` is part of the `Prompt`, `incipit` is the gateway's own. */
const members: readonly string[] = [
  ...settingMembers,
  'model',
  'stream',
  'stream_options',
  'messages',
  'tools',
  'logprobs',
  'top_logprobs',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'prompt_cache_isolation_key',
  'cache_control',
  'incipit',
]

const cacheOptions = new Set(['mode', 'ttl'])
const cacheModes = ['implicit', 'explicit'] as const

/** All that a Chat Completions body says. */
export function read(prompt: Prompt): Conversation {
  const root = bodyOf(prompt)
  const options = root.find('prompt_cache_options')?.object()
  const reading: Reading = { markTtl: options && ttlOf(options), warnings: [], known: new Set(members) }
  const { warnings, known } = reading
  takeSingleAnswer(root, known)
  const conversation = {
    model: prompt.model,
    stream: prompt.stream,
    turns: messagesOf(root).map((message) => chatTurn(message, reading)),
    tools: chatTools(root, reading, { bare: false }),
    settings: {
      ...chatSettings(root, reading, ['max_completion_tokens', 'max_tokens']),
      topLogprobs: topLogprobsOf(root),
      includeUsage: readStreamOptions(root, reading),
    },
    cache: cacheControls(root, options, reading),
  }
  return { ...conversation, extras: extraFields(root, known), warnings }
}

/** One answer in text is what every model gives: asking for it needs no word elsewhere. */
function takeSingleAnswer(root: Field, known: Set<string>): void {
  if (root.find('n')?.integer({ min: 1, max: 128 }) === 1) known.add('n')
  const modalities = root
    .find('modalities')
    ?.elements()
    .map((modality) => modality.string())
  if (modalities?.every((modality) => modality === 'text') === true) known.add('modalities')
}

/** Without a word from the client the API caches implicitly: a mark at the end of the prompt. */
function cacheControls(root: Field, options: Field | undefined, { markTtl, warnings }: Reading): CacheControls {
  if (options !== undefined) appendAll(warnings, leftOver(options, cacheOptions))
  const mode = options?.find('mode')?.oneOf(cacheModes)
  const control = root.find('cache_control')?.object()
  const implicit: CacheMark | undefined = mode === 'explicit' ? undefined : { ttl: markTtl }
  return {
    key: root.find('prompt_cache_key')?.string(),
    retention: root.find('prompt_cache_retention')?.string(),
    mode,
    automatic: control === undefined ? implicit : { ttl: ttlOf(control) },
    automaticPointer: control?.pointer,
  }
}
