import type { Conversation, ExtraField, Turn } from '../../domain/conversation.ts'
import type { Prompt } from '../../domain/prompt.ts'
import type { Warning } from '../../domain/warning.ts'
import { readContent } from '../shared/anthropic/read-blocks.ts'
import { otherMembers, readMark } from '../shared/anthropic/read-parts.ts'
import { readSettings, settingFields } from '../shared/anthropic/read-settings.ts'
import { readTools } from '../shared/anthropic/read-tools.ts'
import { messagesOf } from '../shared/chat-segments.ts'
import type { Field } from '../shared/field.ts'
import { bodyOf } from '../shared/scanned.ts'

/** Members that have their place in a `Conversation`, and the gateway's own. */
const placed: readonly string[] = [
  ...settingFields,
  'model',
  'stream',
  'tools',
  'system',
  'messages',
  'cache_control',
  'prompt_cache_key',
  'prompt_cache_isolation_key',
  'incipit',
]

/** All that a Messages body says. `system` is the first turn; tool results stay in the user's turns. */
export function read(prompt: Prompt): Conversation {
  const root = bodyOf(prompt)
  const warnings: Warning[] = []
  return {
    model: prompt.model,
    stream: prompt.stream,
    tools: readTools(root, warnings),
    turns: [...readSystem(root.find('system'), warnings), ...messagesOf(root).map((turn) => readTurn(turn, warnings))],
    settings: readSettings(root, warnings),
    cache: {
      key: root.find('prompt_cache_key')?.string(),
      retention: undefined,
      mode: undefined,
      automatic: readMark(root),
      automaticPointer: root.find('cache_control')?.pointer,
      compareWith: readComparison(root),
    },
    extras: readExtras(root),
    warnings,
  }
}

function readComparison(root: Field): string | null | undefined {
  const diagnostics = root.find('diagnostics')?.object()
  return diagnostics === undefined ? undefined : (diagnostics.find('previous_message_id')?.string() ?? null)
}

function readSystem(system: Field | undefined, warnings: Warning[]): Turn[] {
  if (system === undefined) return []
  const blocks = readContent(system, warnings)
  if (system.kind === 'array') for (const block of system.elements()) block.get('type').oneOf(['text'])
  return [{ role: 'system', pointer: system.pointer, name: undefined, blocks }]
}

function readTurn(message: Field, warnings: Warning[]): Turn {
  const role = message.object().get('role').oneOf(['user', 'assistant', 'system'])
  return { role, pointer: message.pointer, name: undefined, blocks: readContent(message.get('content'), warnings) }
}

function readExtras(root: Field): ExtraField[] {
  return otherMembers(root, placed).map(({ name, field }) => ({ name, pointer: field.pointer, json: field.raw }))
}
