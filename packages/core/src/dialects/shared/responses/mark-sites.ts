import type { Block, CacheMark, Conversation, Turn } from '../../../domain/conversation.ts'

/** A tool or block in the order it is rendered, and whether a mark may stand on it. */
export interface MarkSite {
  readonly pointer: string
  readonly kind: 'tool' | 'instructions' | 'turn'
  /** The block, where a mark may stand on it. */
  readonly markable: Block | undefined
  readonly mark: CacheMark | undefined
}

/**
 * Everything of a conversation that may carry a mark in some dialect. Breakpoints stand on what goes into a
 * model: text, images and files of messages and of tool results. Not on tools, on words of the model, on its
 * calls and thoughts, nor on an empty text.
 * https://developers.openai.com/api/docs/guides/prompt-caching, 2026-09
 */
export function markSites(conversation: Conversation): MarkSite[] {
  const tools = conversation.tools.map(({ pointer, mark }): MarkSite => {
    return { pointer, kind: 'tool', markable: undefined, mark }
  })
  return [...tools, ...conversation.turns.flatMap(turnSites)]
}

function turnSites(turn: Turn): MarkSite[] {
  const kind = turn.role === 'system' || turn.role === 'developer' ? 'instructions' : 'turn'
  return turn.blocks.flatMap((block) => {
    const sites = block.kind === 'tool-result' ? block.blocks.map((part) => siteOf(part, kind)) : []
    if (block.kind !== 'tool-result') return [siteOf(block, turn.role === 'assistant' ? undefined : kind)]
    const last = sites.at(-1)
    if (block.mark === undefined) return sites
    // A mark on a result as a whole stands at its end: that is where its last block ends.
    if (last?.markable !== undefined && last.mark === undefined)
      return [...sites.slice(0, -1), { ...last, mark: block.mark }]
    return [...sites, { pointer: block.pointer, kind, markable: undefined, mark: block.mark }]
  })
}

/** `undefined` as kind: a block of the model, which takes no mark. */
function siteOf(block: Block, kind: MarkSite['kind'] | undefined): MarkSite {
  const { pointer, mark } = block
  const markable = kind !== undefined && isMarkable(block) ? block : undefined
  return { pointer, kind: kind ?? 'turn', markable, mark }
}

function isMarkable(block: Block): boolean {
  if (block.kind === 'text') return block.text !== ''
  return block.kind === 'image' || block.kind === 'document'
}
