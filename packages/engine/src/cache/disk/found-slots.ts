import type { FoundBlock } from '../block-shelf.ts'
import type { FoundSlot } from './slot-files.ts'

/** Slots by whether their blocks can be reached. */
export interface SortedSlots {
  /** Parents before their children. */
  readonly blocks: readonly FoundBlock<number>[]
  /** Those without what comes before them, and those whose block lies in another slot too. */
  readonly unreachable: readonly number[]
}

/** @example sortSlots(files.scan().slots).blocks */
export function sortSlots(slots: readonly FoundSlot[]): SortedSlots {
  const byKey = new Map(slots.map((found) => [found.header.key, found]))
  const blocks = new Map<string, FoundBlock<number>>()
  for (const key of byKey.keys()) {
    for (const { slot, header } of chainOf(key, byKey, blocks)) blocks.set(header.key, { ...header, place: slot })
  }
  const reached = new Set([...blocks.values()].map(({ place }) => place))
  return {
    blocks: [...blocks.values()],
    unreachable: slots.map(({ slot }) => slot).filter((slot) => !reached.has(slot)),
  }
}

/** What of a block's chain is not known yet, from above; nothing where it does not reach a known one or a beginning. */
function chainOf(
  key: string,
  byKey: ReadonlyMap<string, FoundSlot>,
  known: ReadonlyMap<string, unknown>,
): readonly FoundSlot[] {
  const chain: FoundSlot[] = []
  for (let at: string | undefined = key; at !== undefined && !known.has(at);) {
    const found = byKey.get(at)
    // Without its parent nobody can reach it; a circle has no beginning either.
    if (found === undefined || chain.length > byKey.size) return []
    chain.push(found)
    at = found.header.parentKey
  }
  return chain.toReversed()
}
