import type { CacheMark } from '../../../domain/conversation.ts'
import type { Span } from '../../../domain/prompt.ts'
import type { JsonDocument, JsonNode } from '../../../json/json-document.ts'
import { memberRanges } from '../../../json/member-ranges.ts'
import { splice } from '../../../json/splice.ts'
import { clientMark } from '../../../plan/body-marks.ts'
import { unrendered } from './block-details.ts'
import { innerBlocks } from './inner-blocks.ts'

/**
 * The client's bytes of a block or tool but for marks, those of blocks inside it included, and the gateway's own
 * field: marks are carried apart from what they mark.
 */
export function unmarkedText(document: JsonDocument, node: JsonNode): string {
  const holes = holesIn(document, node)
  if (holes.length === 0) return document.raw(node)
  const { start, end } = document.span(node)
  const cuts = holes
    .sort((a, b) => a.start - b.start)
    .map((hole) => {
      return { name: 'cut', start: hole.start - start, end: hole.end - start, replacement: new Uint8Array(), why: '' }
    })
  return new TextDecoder().decode(splice(document.bytes.subarray(start, end), cuts))
}

/** The last mark on a block inside this one: the end of the outer block is the nearest place that takes it. */
export function markInside(document: JsonDocument, node: JsonNode): CacheMark | undefined {
  for (const child of innerBlocks(document, node).nodes.toReversed()) {
    const mark = clientMark(document, child)
    const found = mark === undefined ? markInside(document, child) : { ttl: mark.life }
    if (found !== undefined) return found
  }
  return undefined
}

function holesIn(document: JsonDocument, node: JsonNode): Span[] {
  const inner = innerBlocks(document, node).nodes.flatMap((child) => holesIn(document, child))
  return [...memberRanges(document, node, unrendered), ...inner]
}
