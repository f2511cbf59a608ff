import type { ConversationSettings, Tool } from '../../../domain/conversation.ts'
import type { Field } from '../field.ts'
import type { ReadContext } from './read-parts.ts'
import { rawUnmarked, warnOfMembers } from './read-parts.ts'

/** Tools of a body: functions, which are flat in this API, and what the provider runs itself. */
export function readTools(root: Field, context: ReadContext): Tool[] {
  return (root.find('tools')?.elements() ?? []).map((tool) => readTool(tool, context))
}

function readTool(tool: Field, context: ReadContext): Tool {
  const type = tool.object().get('type').string(['function'])
  const { pointer } = tool
  if (type !== 'function') return { kind: 'hosted', pointer, type, json: rawUnmarked(tool), mark: undefined }
  warnOfMembers(tool, ['allowed_callers', 'output_schema'], context)
  // Clients that also speak Chat Completions may wrap a function as they do there.
  const definition = tool.find('function')?.object() ?? tool
  return {
    kind: 'function',
    pointer,
    name: definition.get('name').string(),
    description: definition.find('description')?.string(),
    schemaJson: definition.find('parameters')?.object().raw,
    strict: definition.find('strict')?.boolean(),
    deferLoading: tool.find('defer_loading')?.boolean() ?? false,
    mark: undefined,
  }
}

/** `undefined` also for choices that a conversation has no word for: those stay among its extras. */
export function readToolChoice(root: Field): ConversationSettings['toolChoice'] {
  const choice = root.find('tool_choice')
  if (choice === undefined) return undefined
  if (choice.kind === 'string') return choice.oneOf(['auto', 'none', 'required'])
  if (choice.kind !== 'object') return choice.fail('auto, none, required or an object')
  return choice.get('type').string() === 'function' ? { name: choice.get('name').string() } : undefined
}
