import type { Context } from '../native/contract.ts'
import { blockTokens } from './block-key.ts'
import { pageCells } from './cell-arena.ts'
import type { PrefixMatch, PrefixTree } from './prefix-tree.ts'
import type { RamBlocks, RamTier } from './ram-tier.ts'

/** What a prompt can reuse. */
export interface FoundPrefix {
  /** What the KV buffer holds of it. */
  readonly match: PrefixMatch | undefined
  /** What goes on behind that in blocks. */
  readonly ram: RamBlocks | undefined
  readonly length: number
}

export const nothingFound: FoundPrefix = { match: undefined, ram: undefined, length: 0 }

/** Finds the longest prefix over all tiers: live cells first, continued by blocks from RAM and from disk. */
export class PrefixFinder {
  readonly #context: Context
  readonly #tree: PrefixTree
  readonly #ram: RamTier
  readonly #least: number

  constructor(parts: {
    readonly context: Context
    readonly tree: PrefixTree
    readonly ram: RamTier
    /** Below this many shared tokens nothing is reused. */
    readonly minCachedTokens: number
  }) {
    this.#context = parts.context
    this.#tree = parts.tree
    this.#ram = parts.ram
    this.#least = parts.minCachedTokens
  }

  /** Marks the cells that it finds as used unless `peek`. */
  find(scope: string, tokens: Int32Array, peek: boolean): FoundPrefix {
    // The last prompt token is always evaluated: its logits are what generation starts from.
    const limit = tokens.length - 1
    const match = this.#whole(this.#tree.match(scope, tokens, { limit, peek }))
    const hot = match?.length ?? 0
    const ram = this.#ram.find(scope, tokens, hot)
    const length = Math.min(ram.tokens, limit)
    if (Math.max(hot, length) < this.#least) return nothingFound
    if (length > hot) return { match, ram, length }
    return { match, ram: undefined, length: hot }
  }

  /** The same as blocks alone, saved now where they are not yet: what is there when the cells of `match` are given up. */
  withoutHot(scope: string, tokens: Int32Array, match: PrefixMatch): FoundPrefix {
    this.#ram.saveNow({ scope, tokens, sequence: match.leaf.sequence }, match.length)
    const ram = this.#ram.find(scope, tokens, 0)
    const length = Math.min(ram.tokens, tokens.length - 1)
    return length < this.#least || length === 0 ? nothingFound : { match: undefined, ram, length }
  }

  /** A prefix whose beginning the buffer has lost, as sliding windows do, would give other logits: it is not used. */
  #whole(match: PrefixMatch | undefined): PrefixMatch | undefined {
    if (match === undefined) return undefined
    const { first, last } = this.#context.sequenceRange(match.leaf.sequence)
    return first === 0 && last >= match.length - 1 ? match : undefined
  }
}

/** Tokens taken by reference: whole pages, and before a block from RAM, which is restored whole, whole blocks. */
export function sharedTokens({ match, ram }: FoundPrefix): number {
  const hot = match?.length ?? 0
  return ram === undefined ? hot - (hot % pageCells) : ram.first * blockTokens
}
