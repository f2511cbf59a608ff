import { IncipitError } from '../../domain/errors.ts'
import type { Attachment, Breakpoint, Segment, SegmentKind, Span } from '../../domain/prompt.ts'
import { memberRanges } from '../../json/member-ranges.ts'
import type { Field } from './field.ts'

/** What a client may say a message is, by the gateway's own field `incipit.segment`. */
const labels = [
  'system_instructions',
  'policy_preamble',
  'knowledge_context',
  'conversation_history',
  'user_message',
] as const satisfies readonly SegmentKind[]

const usualRoles = ['user', 'assistant', 'tool', 'system', 'developer'] as const

/** Members that are read and not rendered: marks, and the gateway's own field. */
const unrendered = ['incipit', 'prompt_cache_breakpoint', 'cache_control'] as const

const attachmentKinds: ReadonlyMap<string, Attachment['kind']> = new Map([
  ['image_url', 'image'],
  ['input_audio', 'audio'],
  ['file', 'file'],
])

/** One segment per tool definition, in the client's order. */
export function toolSegments(root: Field): Segment[] {
  const definitions = [root.find('tools'), root.find('functions')].flatMap((list) => list?.elements() ?? [])
  return definitions.map((tool) => segmentOf(tool, 'tools', 'tool'))
}

/** The messages of a chat body. @throws IncipitError unless there is at least one */
export function messagesOf(root: Field): Field[] {
  const field = root.get('messages')
  const messages = field.elements()
  if (messages.length > 0) return messages
  throw new IncipitError('invalid_request', '/messages has 0 elements, expected at least 1', { param: field.pointer })
}

/**
 * Segments of messages in the order sent, which is the order rendered. A message is one segment; where
 * a client labels parts of it, each part is one.
 */
export function messageSegments(messages: readonly Field[]): Segment[] {
  const roles = messages.map((message) => message.object().get('role').string(usualRoles))
  const firstTurn = roles.findIndex((role) => !isInstruction(role))
  const lastUser = roles.lastIndexOf('user')
  return messages.flatMap((message, index) => {
    const leads = firstTurn === -1 || index < firstTurn
    const turn = index === lastUser ? 'user_message' : 'conversation_history'
    return segmentsOfMessage(message, roles[index] ?? '', leads ? 'system_instructions' : turn)
  })
}

/** Explicit breakpoints that the client set on content parts. */
export function chatBreakpoints(root: Field, messages: readonly Field[]): Breakpoint[] {
  const options = root.find('prompt_cache_options')
  const ttlField = options?.kind === 'object' ? options.find('ttl') : undefined
  const ttl = ttlField?.kind === 'string' && ttlField.string() === '12h' ? '12h' : '30m'
  return messages.flatMap((message) =>
    partsOf(message)
      .filter((part) => part.kind === 'object' && part.find('prompt_cache_breakpoint') !== undefined)
      .map((part) => ({ pointer: part.pointer, ttl, origin: 'client', end: part.span.end }) as const),
  )
}

/** Content parts of a message; none when its content is a string or absent. */
export function partsOf(message: Field): Field[] {
  const content = message.find('content')
  return content?.kind === 'array' ? content.elements() : []
}

/** The kind of attachment that a content part carries, if it carries one. */
export function attachmentKind(part: Field): Attachment['kind'] | undefined {
  const type = part.kind === 'object' ? part.find('type') : undefined
  return type?.kind === 'string' ? attachmentKinds.get(type.string()) : undefined
}

function isInstruction(role: string): boolean {
  return role === 'system' || role === 'developer'
}

function segmentsOfMessage(message: Field, role: string, byPosition: SegmentKind): Segment[] {
  const kind = labelOf(message) ?? byPosition
  const parts = partsOf(message)
  const partLabels = parts.map((part) => labelOf(part))
  if (partLabels.every((label) => label === undefined)) return [segmentOf(message, kind, role, parts)]
  return parts.map((part, index) => segmentOf(part, partLabels[index] ?? kind, role))
}

function labelOf(field: Field): SegmentKind | undefined {
  return field.find('incipit')?.object().find('segment')?.oneOf(labels)
}

function attachmentsOf(part: Field): Attachment[] {
  const kind = attachmentKind(part)
  return kind === undefined ? [] : [{ kind, pointer: part.pointer, span: part.span }]
}

/** A segment of a message with its content parts, or of a part or tool alone. */
function segmentOf(field: Field, kind: SegmentKind, role: string, parts: readonly Field[] = [field]): Segment {
  const holes = holesOf(field, parts)
  const { pointer, span } = field
  const attachments = parts.length === 0 ? [] : parts.flatMap(attachmentsOf)
  return holes.length === 0
    ? { kind, role, pointer, span, attachments }
    : { kind, role, pointer, span, holes, attachments }
}

function holesOf(field: Field, parts: readonly Field[]): Span[] {
  const holes = memberRanges(field.document, field.node, unrendered)
  for (const part of parts) {
    if (part !== field) holes.push(...memberRanges(part.document, part.node, unrendered))
  }
  return holes.sort((a, b) => a.start - b.start)
}
