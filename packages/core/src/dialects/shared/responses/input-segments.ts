import type { Attachment, Breakpoint, Segment, SegmentKind, Span } from '../../../domain/prompt.ts'
import { memberRanges } from '../../../json/member-ranges.ts'
import type { Field } from '../field.ts'
import { segmentLabel } from '../segment-label.ts'
import { itemParts, itemRole, itemType, partAttachment } from './input-items.ts'
import { appendAll } from '../../../domain/append.ts'

/** Members that are read and not rendered: marks, and the gateway's own field. */
export const unrendered: readonly string[] = ['incipit', 'prompt_cache_breakpoint', 'cache_control']

/** The life that breakpoints of a body have: one for all. */
export type BodyTtl = '30m' | '12h'

/** What is where in the input of a body. */
export interface InputParts {
  readonly segments: readonly Segment[]
  readonly breakpoints: readonly Breakpoint[]
}

/**
 * Segments of a body in the order they are rendered: tools, `instructions`, then the items of `input`.
 * An item is one segment; where a client labels parts of it, each part is one.
 */
export function inputParts(root: Field, ttl: BodyTtl): InputParts {
  const tools = root.find('tools')?.elements() ?? []
  const head = tools.map((tool) => segmentOf({ field: tool, kind: 'tools', role: 'tool', parts: [] }))
  const instructions = root.find('instructions')
  if (instructions !== undefined) head.push(plainSegment(instructions, 'system_instructions', 'system'))
  const input = root.find('input')
  if (input === undefined) return { segments: head, breakpoints: [] }
  if (input.kind === 'string')
    return { segments: [...head, plainSegment(input, 'user_message', 'user')], breakpoints: [] }
  if (input.kind !== 'array') return input.fail('a string or an array of input items')
  const items = input.elements().map(readItem)
  const segments = [...head, ...itemSegments(items)]
  return { segments, breakpoints: items.flatMap((item) => breakpointsOf(item.parts, ttl)) }
}

interface Item {
  readonly field: Field
  readonly role: string
  readonly isMessage: boolean
  readonly parts: readonly Field[]
}

function readItem(field: Field): Item {
  const type = itemType(field)
  return { field, role: itemRole(field, type), isMessage: type === 'message', parts: itemParts(field) }
}

function itemSegments(items: readonly Item[]): Segment[] {
  const firstTurn = items.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const lastUser = items.findLastIndex(({ role, isMessage }) => isMessage && role === 'user')
  return items.flatMap((item, index) => {
    const leads = firstTurn === -1 || index < firstTurn
    const turn = index === lastUser ? 'user_message' : 'conversation_history'
    return segmentsOfItem(item, leads ? 'system_instructions' : turn)
  })
}

function segmentsOfItem({ field, role, parts }: Item, byPosition: SegmentKind): Segment[] {
  const kind = segmentLabel(field) ?? byPosition
  const partLabels = parts.map(segmentLabel)
  if (partLabels.every((label) => label === undefined)) return [segmentOf({ field, kind, role, parts })]
  return parts.map((part, index) => segmentOf({ field: part, kind: partLabels[index] ?? kind, role, parts: [part] }))
}

function breakpointsOf(parts: readonly Field[], ttl: BodyTtl): Breakpoint[] {
  return parts
    .filter((part) => part.kind === 'object' && part.find('prompt_cache_breakpoint') !== undefined)
    .map((part) => ({ pointer: part.pointer, ttl, origin: 'client', end: part.span.end }))
}

function plainSegment({ pointer, span }: Field, kind: SegmentKind, role: string): Segment {
  return { kind, role, pointer, span, attachments: [] }
}

interface SegmentParts {
  readonly field: Field
  readonly kind: SegmentKind
  readonly role: string
  /** Parts inside the field, or the field itself. */
  readonly parts: readonly Field[]
}

function segmentOf({ field, kind, role, parts }: SegmentParts): Segment {
  const { pointer, span } = field
  const holes = holesOf(field, parts)
  const attachments = parts.flatMap(attachmentOf)
  return holes.length === 0
    ? { kind, role, pointer, span, attachments }
    : { kind, role, pointer, span, holes, attachments }
}

function attachmentOf(part: Field): Attachment[] {
  const kind = partAttachment(part)
  return kind === undefined ? [] : [{ kind, pointer: part.pointer, span: part.span }]
}

function holesOf(field: Field, parts: readonly Field[]): Span[] {
  const holes = memberRanges(field.document, field.node, unrendered)
  for (const part of parts) {
    if (part !== field) appendAll(holes, memberRanges(part.document, part.node, unrendered))
  }
  return holes.sort((a, b) => a.start - b.start)
}
