import { innerBlocks } from '../dialects/shared/anthropic/inner-blocks.ts'
import type { JsonDocument, JsonNode } from '../json/json-document.ts'
import type { MarkSlot, SlotMark } from './legal-marks.ts'
import type { TakesMark } from './markable.ts'
import { blockTakesMark, toolTakesMark } from './markable.ts'

/** A place of a Messages body that can carry a mark. */
export interface BodySlot extends MarkSlot {
  /** The block, or the string that is the whole content: that becomes a block when it is to be marked. */
  readonly node: JsonNode
}

/** All places of a Messages body, in render order. */
export function bodySlots(document: JsonDocument): BodySlot[] {
  const slots: BodySlot[] = []
  const tools = document.find(0, 'tools')
  for (const [index, node] of childrenOf(document, tools).entries()) {
    const takes = toolTakesMark(document, node)
    slots.push({ where: `/tools/${index}`, level: 'tools', takes, mark: clientMark(document, node), node })
  }
  collect({ document, slots, level: 'system' }, document.find(0, 'system'), '/system')
  const messages = document.find(0, 'messages')
  for (const [index, message] of childrenOf(document, messages).entries()) {
    const content = document.find(message, 'content')
    collect({ document, slots, level: 'messages' }, content, `/messages/${index}/content`)
  }
  return slots
}

/** The client's own mark on a block, a tool or the body; `null` is none. */
export function clientMark(document: JsonDocument, holder: JsonNode): SlotMark | undefined {
  const node = document.find(holder, 'cache_control')
  if (node === undefined || document.kind(node) !== 'object') return undefined
  const ttl = document.find(node, 'ttl')
  const life = ttl !== undefined && document.isText(ttl, '1h') ? '1h' : '5m'
  return { life, json: document.raw(node), origin: 'client' }
}

interface Collection {
  readonly document: JsonDocument
  readonly slots: BodySlot[]
  readonly level: MarkSlot['level']
}

function collect({ document, slots, level }: Collection, content: JsonNode | undefined, where: string): void {
  if (content === undefined) return
  if (document.kind(content) === 'string') {
    const takes: TakesMark = document.isText(content, '') ? 'an empty text block' : 'mark'
    slots.push({ where, level, takes, mark: undefined, node: content })
    return
  }
  for (const [index, node] of document.elements(content).entries()) {
    const pointer = `${where}/${index}`
    slots.push({
      where: pointer,
      level,
      takes: blockTakesMark(document, node),
      mark: clientMark(document, node),
      node,
    })
    collectInner({ document, slots, level }, node, pointer)
  }
}

/** Inner blocks are places only where they are marked: nothing is moved there. */
function collectInner(collection: Collection, block: JsonNode, where: string): void {
  const { document, slots, level } = collection
  const { nodes, path } = innerBlocks(document, block)
  for (const [index, node] of nodes.entries()) {
    const mark = clientMark(document, node)
    const pointer = `${where}${path}/${index}`
    if (mark !== undefined) slots.push({ where: pointer, level, takes: 'content of another block', mark, node })
    collectInner(collection, node, pointer)
  }
}

function childrenOf(document: JsonDocument, list: JsonNode | undefined): JsonNode[] {
  return list === undefined ? [] : document.elements(list)
}
