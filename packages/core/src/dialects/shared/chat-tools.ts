import type { ConversationSettings, Tool } from '../../domain/conversation.ts'
import { markMembers, markOf } from './cache-marks.ts'
import type { Reading } from './chat-parts.ts'
import type { Field } from './field.ts'
import { leftOver } from './left-over.ts'
import { appendAll } from '../../domain/append.ts'

const wrapping = new Set(['type', 'function', 'incipit', ...markMembers])
const defining = ['name', 'description', 'parameters', 'strict']
const members = new Set(defining)
const bareMembers = new Set([...wrapping, ...defining])

/**
 * Tool definitions as the client wrote them. `bare` also takes `{name, description, parameters}`
 * without the wrapping `{type: "function", function: ...}`.
 */
export function chatTools(root: Field, reading: Reading, { bare }: { readonly bare: boolean }): Tool[] {
  return (root.find('tools')?.elements() ?? []).map((tool) => {
    const { pointer } = tool.object()
    const mark = markOf(tool, reading.markTtl)
    const isBare = bare && tool.find('function') === undefined
    const type = tool.find('type')?.string() ?? 'function'
    if (!isBare && type !== 'function') return { kind: 'hosted', pointer, type, json: tool.raw, mark }
    const definition = isBare ? tool : tool.get('function').object()
    appendAll(reading.warnings, leftOver(tool, isBare ? bareMembers : wrapping))
    if (!isBare) appendAll(reading.warnings, leftOver(definition, members))
    return {
      kind: 'function',
      pointer,
      name: definition.get('name').string(),
      description: definition.find('description')?.string(),
      schemaJson: definition.find('parameters')?.object().raw,
      strict: definition.find('strict')?.boolean(),
      deferLoading: false,
      mark,
    }
  })
}

/** The choice of tools; a form that only this dialect knows stays among the extra members of the body. */
export function chatToolChoice(root: Field, reading: Reading): ConversationSettings['toolChoice'] {
  const choice = root.find('tool_choice')
  if (choice === undefined) return undefined
  if (choice.kind === 'string') return choice.oneOf(['auto', 'none', 'required'])
  if (choice.kind !== 'object') return choice.fail('auto, none, required or an object')
  if (choice.get('type').string() === 'function') {
    return { name: choice.get('function').object().get('name').string() }
  }
  reading.known.delete('tool_choice')
  return undefined
}
