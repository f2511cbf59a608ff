import type { Conversation, Turn } from '../../domain/conversation.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { defaultMaxTokens } from '../../rules/workers-ai-defaults.ts'
import type { Reading } from '../shared/chat-parts.ts'
import { messagesOf } from '../shared/chat-segments.ts'
import { chatSettings, settingMembers } from '../shared/chat-settings.ts'
import { chatTools } from '../shared/chat-tools.ts'
import { chatTurn } from '../shared/chat-turns.ts'
import type { Field } from '../shared/field.ts'
import { extraFields } from '../shared/left-over.ts'
import { bodyOf } from '../shared/scanned.ts'
import { lonePrompt } from './parse.ts'

/** Members that are read; `prompt_cache_isolation_key` is part of the `Prompt`, `incipit` is the gateway's own. */
const members: readonly string[] = [
  ...settingMembers,
  'model',
  'stream',
  'messages',
  'tools',
  'prompt_cache_key',
  'prompt_cache_isolation_key',
  'incipit',
]

/** All that the body of an `ai/run` call says. The API caches by itself: what a client marks stays a mark. */
export function read(prompt: Prompt): Conversation {
  const root = bodyOf(prompt)
  const reading: Reading = { markTtl: undefined, warnings: [], known: new Set(members) }
  const { warnings, known } = reading
  // A template-free prompt is another thing; said to be off, it is nothing.
  if (root.find('raw')?.boolean() === false) known.add('raw')
  const settings = chatSettings(root, reading, ['max_tokens', 'max_completion_tokens'])
  const conversation = {
    model: prompt.model,
    stream: prompt.stream,
    turns: turnsOf(root, reading),
    tools: chatTools(root, reading, { bare: true }),
    // Not saying it asks for this many.
    settings: { ...settings, maxOutputTokens: settings.maxOutputTokens ?? defaultMaxTokens.value },
    cache: {
      key: root.find('prompt_cache_key')?.string(),
      retention: undefined,
      mode: undefined,
      automatic: { ttl: undefined },
    },
  }
  return { ...conversation, extras: extraFields(root, known), warnings }
}

function turnsOf(root: Field, reading: Reading): Turn[] {
  const lone = lonePrompt(root)
  if (lone === undefined) return messagesOf(root).map((message) => chatTurn(message, reading))
  reading.known.add('prompt')
  const { pointer } = lone
  return [{ role: 'user', pointer, name: undefined, blocks: [{ kind: 'text', pointer, text: lone.string() }] }]
}
