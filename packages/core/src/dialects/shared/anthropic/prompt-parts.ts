import type { Breakpoint, Segment, SegmentKind, Span } from '../../../domain/prompt.ts'
import type { JsonDocument, JsonNode } from '../../../json/json-document.ts'
import { billingLineIn } from '../../../plan/billing-line.ts'
import { bodySlots, clientMark } from '../../../plan/body-marks.ts'
import { Field } from '../field.ts'
import type { BlockDetails } from './block-details.ts'
import { addDetails, addHoles } from './block-details.ts'
import { appendAll } from '../../../domain/append.ts'
import { segmentLabel } from '../segment-label.ts'

/** Segments and breakpoints of a Messages body, both in render order. */
export interface PromptParts {
  readonly segments: Segment[]
  readonly breakpoints: Breakpoint[]
}

const usualRoles = ['user', 'assistant', 'system'] as const

/**
 * Segments in the order rendered, whatever the order sent: tools, system, messages. A system block is a segment; a
 * message is one, and where a client labels blocks of it, each block is.
 */
export function promptParts(root: Field, messages: readonly Field[]): PromptParts {
  const parts: PromptParts = { segments: [], breakpoints: [] }
  for (const tool of root.find('tools')?.elements() ?? []) addBlock(parts, tool, { kind: 'tools', role: 'tool' })
  addSystem(parts, root.find('system'))
  const roles = messages.map((message) => message.object().get('role').string(usualRoles))
  const firstTurn = roles.findIndex((role) => role !== 'system')
  const lastUser = roles.lastIndexOf('user')
  for (const [index, message] of messages.entries()) {
    const leads = firstTurn === -1 || index < firstTurn
    const turn = index === lastUser ? 'user_message' : 'conversation_history'
    addMessage(parts, message, { kind: leads ? 'system_instructions' : turn, role: roles[index] ?? '' })
  }
  addAutomatic(parts, root)
  return parts
}

interface Part {
  readonly kind: SegmentKind
  readonly role: string
  /** Ranges that are not rendered, beyond those of unrendered members. */
  readonly holes?: readonly Span[]
}

function addSystem(parts: PromptParts, system: Field | undefined): void {
  if (system === undefined) return
  const part: Part = { kind: 'system_instructions', role: 'system' }
  if (system.kind === 'string') {
    const details = detailsFor(parts)
    appendAll(details.holes, billingHoles(system))
    parts.segments.push(segmentOf(system, part, details))
  } else if (system.kind !== 'array') system.fail('a string or an array of text blocks')
  else
    for (const [index, block] of system.elements().entries()) {
      const text = index === 0 && block.kind === 'object' ? block.find('text') : undefined
      const holes = text?.kind === 'string' ? billingHoles(text) : []
      addBlock(parts, block, { ...part, kind: segmentLabel(block) ?? part.kind, holes })
    }
}

/** A line that no upstream renders, or none receives: it is no part of the prompt. */
function billingHoles(text: Field): Span[] {
  const line = billingLineIn(text.document.bytes, text.span)
  return line === undefined ? [] : [line]
}

function addMessage(parts: PromptParts, message: Field, part: Part): void {
  const { document } = message
  const kind = segmentLabel(message) ?? part.kind
  const content = document.find(message.node, 'content')
  const blocks = content === undefined ? [] : document.elements(content)
  const list = `${message.pointer}/content`
  if (blocks.some((node) => document.find(node, 'incipit') !== undefined)) {
    addLabelled(parts, { document, blocks, list }, { ...part, kind })
    return
  }
  const details = detailsFor(parts)
  addHoles(document, message.node, details.holes)
  for (let index = 0; index < blocks.length; index++)
    addDetails({ document, node: blocks[index]!, list, index }, details)
  parts.segments.push(segmentOf(message, { ...part, kind }, details))
}

/** Where a client labels blocks of a message, each block is a segment. */
function addLabelled(
  parts: PromptParts,
  { document, blocks, list }: { document: JsonDocument; blocks: readonly JsonNode[]; list: string },
  part: Part,
): void {
  for (const [index, node] of blocks.entries()) {
    const block = new Field(document, node, `${list}/${index}`)
    addBlock(parts, block, { ...part, kind: segmentLabel(block) ?? part.kind })
  }
}

/** A block or tool that is a segment of its own. */
function addBlock(parts: PromptParts, block: Field, part: Part): void {
  const details = detailsFor(parts)
  appendAll(details.holes, part.holes ?? [])
  const { document, node, pointer } = block
  const slash = pointer.lastIndexOf('/')
  addDetails({ document, node, list: pointer.slice(0, slash), index: Number(pointer.slice(slash + 1)) }, details)
  parts.segments.push(segmentOf(block, part, details))
}

/** The upstream sets the automatic mark on the last block that takes one; a mark that stands there already is it. */
function addAutomatic(parts: PromptParts, root: Field): void {
  const mark = clientMark(root.document, 0)
  if (mark === undefined) return
  const last = bodySlots(root.document).findLast((slot) => slot.takes === 'mark')
  if (last === undefined || parts.breakpoints.some(({ pointer }) => pointer === last.where)) return
  const end = root.document.kind(last.node) === 'string' ? undefined : root.document.end(last.node)
  const breakpoint = { pointer: last.where, ttl: mark.life, origin: 'client' } as const
  parts.breakpoints.push(end === undefined ? breakpoint : { ...breakpoint, end })
}

function detailsFor({ breakpoints }: PromptParts): BlockDetails {
  return { holes: [], attachments: [], breakpoints }
}

function segmentOf(field: Field, { kind, role }: Part, { holes, attachments }: BlockDetails): Segment {
  const { pointer, span } = field
  if (holes.length === 0) return { kind, role, pointer, span, attachments }
  return { kind, role, pointer, span, holes: holes.sort((a, b) => a.start - b.start), attachments }
}
