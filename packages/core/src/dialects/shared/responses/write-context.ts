import type { Block } from '../../../domain/conversation.ts'
import type { Warning, WarningCode } from '../../../domain/warning.ts'

/** What the parts of a body are written with. */
export interface WriteContext {
  /** The conversation came from this dialect: what only this API knows is written as it was. */
  readonly own: boolean
  /** Blocks that get a mark. */
  readonly marked: ReadonlySet<Block>
  readonly warnings: Warning[]
}

/** @example warn(context, 'block_not_carried', block.pointer, 'thinking of another provider') */
export function warn(context: WriteContext, code: WarningCode, where: string, detail: string): void {
  context.warnings.push({ code, where, detail })
}
