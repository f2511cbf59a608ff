import type { JsonDocument, JsonNode } from '../../../json/json-document.ts'

/** Blocks inside a block, and the way to their list. */
export interface InnerBlocks {
  readonly nodes: readonly JsonNode[]
  /** What follows the pointer of the outer block: `/content` of results, `/source/content` of documents. */
  readonly path: string
}

const none: InnerBlocks = { nodes: [], path: '' }

/**
 * The content blocks that stand inside another one. Only where the API has them: what a tool was called with is the
 * client's own JSON, and a member named `cache_control` there means nothing.
 */
export function innerBlocks(document: JsonDocument, block: JsonNode): InnerBlocks {
  const content = document.find(block, 'content')
  if (content !== undefined) {
    return document.kind(content) === 'array' ? { nodes: document.elements(content), path: '/content' } : none
  }
  const source = document.find(block, 'source')
  const inSource = source === undefined ? undefined : document.find(source, 'content')
  if (inSource === undefined || document.kind(inSource) !== 'array') return none
  return { nodes: document.elements(inSource), path: '/source/content' }
}
