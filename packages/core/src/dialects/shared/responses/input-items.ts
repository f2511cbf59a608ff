import type { Attachment } from '../../../domain/prompt.ts'
import type { Field } from '../field.ts'

const usualRoles = ['user', 'assistant', 'system', 'developer'] as const

/** Types of items that a client adds without being the model. */
const clientItems: ReadonlySet<string> = new Set(['mcp_approval_response', 'compaction_trigger'])

const attachmentKinds: ReadonlyMap<string, Attachment['kind']> = new Map([
  ['input_image', 'image'],
  ['input_audio', 'audio'],
  ['input_file', 'file'],
  ['computer_screenshot', 'image'],
])

/**
 * The type of an item of `input`. Messages may leave it out, and so may references to stored items.
 * @throws IncipitError `missing_field` when it is neither
 */
export function itemType(item: Field): string {
  const type = item.object().find('type')
  if (type !== undefined) return type.string(['message', 'function_call', 'function_call_output', 'reasoning'])
  if (item.find('role') !== undefined) return 'message'
  return item.find('id') === undefined ? item.get('role').string() : 'item_reference'
}

/** Who speaks in an item: its own role, else who makes items of that type. */
export function itemRole(item: Field, type: string): string {
  const role = type === 'message' ? item.get('role') : item.find('role')
  if (role !== undefined) return role.string(usualRoles)
  if (type === 'function_call_output') return 'tool'
  return type.endsWith('_output') || clientItems.has(type) ? 'user' : 'assistant'
}

/** The parts of an item that can carry a mark or an attachment: of its content, or of a tool's output. */
export function itemParts(item: Field): Field[] {
  const content = item.find('content') ?? item.find('output')
  // A screenshot of the computer tool stands alone, without an array.
  if (content?.kind === 'object') return [content]
  return content?.kind === 'array' ? content.elements() : []
}

/** The kind of attachment that a part carries, if it carries one. */
export function partAttachment(part: Field): Attachment['kind'] | undefined {
  const type = part.kind === 'object' ? part.find('type') : undefined
  return type?.kind === 'string' ? attachmentKinds.get(type.string(['input_text', 'output_text'])) : undefined
}
