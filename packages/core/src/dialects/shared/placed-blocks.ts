import type { PromptPlace } from '../../domain/cached-prompt.ts'
import type { Block, Conversation, Turn } from '../../domain/conversation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { blockText, messageBlocks } from './to-generation.ts'

/** A block and where it ends in the prompt of a local model. */
export interface PlacedBlock {
  readonly block: Block
  readonly turn: Turn
  /** Nothing of its turn follows. */
  readonly last: boolean
  /** Its turn and all before it are instructions. */
  readonly leading: boolean
  readonly place: PromptPlace
}

/**
 * The blocks of a conversation in order, each with its end in what `toGeneration` makes of it.
 * @example placedBlocks(conversation, hasher).findLast(({ block }) => block.mark !== undefined)?.place
 */
export function placedBlocks({ turns }: Conversation, hasher: Hasher): PlacedBlock[] {
  const placed: PlacedBlock[] = []
  let message = 0
  let leading = true
  for (const turn of turns) {
    leading &&= turn.role === 'system' || turn.role === 'developer'
    for (const blocks of messageBlocks(turn)) {
      let length: number | undefined
      for (const block of blocks) {
        const texts = block.kind === 'tool-result' ? [] : blockText(block, hasher)
        for (const text of texts) length = text.length + (length === undefined ? 0 : length + 1)
        const inText = texts.length > 0 && length !== undefined
        const place: PromptPlace = inText
          ? { kind: 'text', message, length: length ?? 0 }
          : { kind: 'message', message }
        placed.push({ block, turn, last: block === turn.blocks.at(-1), leading, place })
      }
      message++
    }
  }
  return placed
}
