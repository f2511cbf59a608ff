import type { PromptBlock } from './prompt-blocks.ts'

/** What is kept of an answered request, to compare later ones with. */
export interface Remembered {
  readonly org: string
  readonly model: string
  readonly blocks: readonly PromptBlock[]
}

export type MissReason =
  | {
      readonly type: 'model_changed' | 'system_changed' | 'tools_changed' | 'messages_changed'
      readonly cache_missed_input_tokens: number
    }
  | { readonly type: 'previous_message_not_found' }

/**
 * Why the prefix of the previous request could not be reused; `null` when it could.
 * @example diagnose(undefined, current) // { type: 'previous_message_not_found' }
 */
export function diagnose(previous: Remembered | undefined, current: Remembered): MissReason | null {
  if (previous === undefined || previous.org !== current.org) return { type: 'previous_message_not_found' }
  const total = previous.blocks.at(-1)?.end ?? 0
  if (previous.model !== current.model) return { type: 'model_changed', cache_missed_input_tokens: total }
  const hashes = new Set(current.blocks.map(({ hash }) => hash))
  const first = previous.blocks.findIndex(({ hash }) => !hashes.has(hash))
  const changed = previous.blocks[first]
  if (changed === undefined) return null
  const shared = previous.blocks[first - 1]?.end ?? 0
  return { type: `${changedLevel(previous, current)}_changed`, cache_missed_input_tokens: total - shared }
}

/** The first level that does not end as it did; messages may grow, so they are what is left. */
function changedLevel(previous: Remembered, current: Remembered): PromptBlock['level'] {
  const end = ({ blocks }: Remembered, level: PromptBlock['level']): string | undefined =>
    blocks.findLast((block) => block.level === level)?.hash
  const levels = ['tools', 'system'] as const
  return levels.find((level) => end(previous, level) !== end(current, level)) ?? 'messages'
}
