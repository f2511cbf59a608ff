import { IncipitError } from '../../domain/errors.ts'
import type { Attachment, Breakpoint, Segment, Span } from '../../domain/prompt.ts'
import { memberRanges } from '../../json/member-ranges.ts'
import { appendAll } from '../../domain/append.ts'
import { Field } from './field.ts'
import { segmentLabel } from './segment-label.ts'

const usualRoles = ['user', 'assistant', 'tool', 'system', 'developer'] as const

/** Members that are read and not rendered: marks, and the gateway's own field. */
const unrendered = ['incipit', 'prompt_cache_breakpoint', 'cache_control'] as const

const attachmentKinds = { image_url: 'image', input_audio: 'audio', file: 'file' } as const
const attachmentTypes = ['image_url', 'input_audio', 'file'] as const

/** One segment per tool definition, in the client's order. */
export function toolSegments(root: Field): Segment[] {
  const segments: Segment[] = []
  for (const list of [root.find('tools'), root.find('functions')]) {
    for (const tool of list?.elements() ?? []) segments.push(segmentOf(tool, { kind: 'tools', role: 'tool' }))
  }
  return segments
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
  const segments: Segment[] = []
  for (const [index, message] of messages.entries()) {
    const leads = firstTurn === -1 || index < firstTurn
    const turn = index === lastUser ? 'user_message' : 'conversation_history'
    addMessage(segments, message, { role: roles[index] ?? '', kind: leads ? 'system_instructions' : turn })
  }
  return segments
}

/**
 * Explicit breakpoints that the client set on content parts. A life it did not name is the one that a bare mark
 * has where it is understood: 30 minutes for OpenAI's own, 5 for `cache_control`.
 */
export function chatBreakpoints(messages: readonly Field[], requestTtl: Breakpoint['ttl']): Breakpoint[] {
  const breakpoints: Breakpoint[] = []
  for (const message of messages) {
    for (const part of partsOf(message)) {
      const ttl = partMark(part, requestTtl)
      if (ttl !== undefined) breakpoints.push({ pointer: part.pointer, ttl, origin: 'client', end: part.span.end })
    }
  }
  return breakpoints
}

function partMark(part: Field, ttl: Breakpoint['ttl']): Breakpoint['ttl'] | undefined {
  if (part.kind !== 'object') return undefined
  if (part.find('prompt_cache_breakpoint') !== undefined) return ttl
  const control = part.find('cache_control')
  if (control === undefined) return undefined
  return control.kind === 'object' && nameIn(control, 'ttl') === '1h' ? '1h' : '5m'
}

function nameIn(object: Field, name: string): string | undefined {
  const field = object.find(name)
  return field?.kind === 'string' ? field.string() : undefined
}

/** Content parts of a message; none when its content is a string or absent. */
export function partsOf({ document, node, pointer }: Field): readonly Field[] {
  const content = document.find(node, 'content')
  if (content === undefined || document.kind(content) !== 'array') return []
  return new Field(document, content, `${pointer}/content`).elements()
}

function isInstruction(role: string): boolean {
  return role === 'system' || role === 'developer'
}

function addMessage(segments: Segment[], message: Field, { role, kind: byPosition }: Part): void {
  const kind = segmentLabel(message) ?? byPosition
  const parts = partsOf(message)
  if (!parts.some((part) => segmentLabel(part) !== undefined)) segments.push(segmentOf(message, { kind, role }, parts))
  else for (const part of parts) segments.push(segmentOf(part, { kind: segmentLabel(part) ?? kind, role }))
}

/** What a segment is beside what it holds. */
type Part = Pick<Segment, 'kind' | 'role'>

/** A segment of a message with its content parts, or of a part or tool alone. */
function segmentOf(field: Field, { kind, role }: Part, parts: readonly Field[] = [field]): Segment {
  const { pointer, span } = field
  const attachments: Attachment[] = []
  for (const part of parts) addAttachment(attachments, part)
  const holes = holesOf(field, parts)
  if (holes.length === 0) return { kind, role, pointer, span, attachments }
  return { kind, role, pointer, span, holes, attachments }
}

function addAttachment(attachments: Attachment[], { document, node, pointer }: Field): void {
  const type = document.find(node, 'type')
  if (type === undefined || document.kind(type) !== 'string') return
  const known = attachmentTypes.find((name) => document.isText(type, name))
  if (known !== undefined) attachments.push({ kind: attachmentKinds[known], pointer, span: document.span(node) })
}

function holesOf(field: Field, parts: readonly Field[]): Span[] {
  const holes = memberRanges(field.document, field.node, unrendered)
  for (const part of parts) {
    if (part !== field) appendAll(holes, memberRanges(part.document, part.node, unrendered))
  }
  return holes.sort((a, b) => a.start - b.start)
}
