import type { Attachment, Breakpoint, Span } from '../../../domain/prompt.ts'
import type { JsonDocument, JsonNode } from '../../../json/json-document.ts'
import { memberRanges } from '../../../json/member-ranges.ts'
import type { SlotMark } from '../../../plan/legal-marks.ts'
import { clientMark } from '../../../plan/body-marks.ts'
import { innerBlocks } from './inner-blocks.ts'
import { appendAll } from '../../../domain/append.ts'

/** Members that are read and not rendered: marks, and the gateway's own field. */
export const unrendered: readonly string[] = ['cache_control', 'incipit']

/** What stands in the blocks of a segment, in order; `breakpoints` are those of the whole prompt. */
export interface BlockDetails {
  readonly holes: Span[]
  readonly attachments: Attachment[]
  readonly breakpoints: Breakpoint[]
}

const attachmentKinds = { image: 'image', document: 'document', container_upload: 'file' } as const
const attachmentTypes = ['image', 'document', 'container_upload'] as const

/** Element `index` of the list at the pointer `list`. Most have nothing to tell: their own pointer is made when needed. */
export interface ListedBlock {
  readonly document: JsonDocument
  readonly node: JsonNode
  readonly list: string
  readonly index: number
}

/** Adds holes, attachments and the breakpoint of a block or tool. A mark inside it counts as its own. */
export function addDetails(block: ListedBlock, details: BlockDetails): void {
  const { document, node, list, index } = block
  const mark = addInner(block, details)
  if (mark === undefined) return
  details.breakpoints.push({ pointer: `${list}/${index}`, ttl: mark.life, origin: 'client', end: document.end(node) })
}

/** Adds the ranges of members that are not rendered. */
export function addHoles(document: JsonDocument, node: JsonNode, holes: Span[]): void {
  const marked = document.find(node, 'cache_control') !== undefined
  if (marked || document.find(node, 'incipit') !== undefined) appendAll(holes, memberRanges(document, node, unrendered))
}

/** Returns the mark of the block, else the last one inside it. */
function addInner({ document, node, list, index }: ListedBlock, details: BlockDetails): SlotMark | undefined {
  addHoles(document, node, details.holes)
  const type = document.find(node, 'type')
  for (const name of attachmentTypes) {
    if (type === undefined || !document.isText(type, name)) continue
    const kind = attachmentKinds[name]
    details.attachments.push({ kind, pointer: `${list}/${index}`, span: document.span(node) })
  }
  let inside: SlotMark | undefined
  const inner = innerBlocks(document, node)
  for (let at = 0; at < inner.nodes.length; at++) {
    const child = { document, node: inner.nodes[at]!, list: `${list}/${index}${inner.path}`, index: at }
    inside = addInner(child, details) ?? inside
  }
  return clientMark(document, node) ?? inside
}
