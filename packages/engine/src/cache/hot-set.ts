import type { Context } from '../native/contract.ts'
import { blockTokens } from './block-key.ts'
import type { CellArena } from './cell-arena.ts'
import { pageCells, reservedSequences } from './cell-arena.ts'
import { pagesFor } from './page-table.ts'
import type { PinBook } from './pin-book.ts'
import type { PrefixNode, PrefixTree } from './prefix-tree.ts'
import type { RamTier } from './ram-tier.ts'
import { SequenceIds } from './sequence-ids.ts'

export interface HotSetParts {
  readonly context: Context
  /** Sequence ids of the context. */
  readonly sequences: number
  readonly arena: CellArena
  readonly tree: PrefixTree
  readonly ram: RamTier
  readonly pins: PinBook
}

/** Sequences of the KV buffer with the pages they hold. Makes room by evicting cached leaves, oldest first. */
export class HotSet {
  readonly #parts: HotSetParts
  readonly #ids: SequenceIds
  readonly #pagesOf = new Map<number, Int32Array>()
  #evictedTokens = 0

  constructor(parts: HotSetParts) {
    this.#parts = parts
    this.#ids = new SequenceIds(reservedSequences.count, parts.sequences)
  }

  /** Tokens evicted since the start. */
  get evictedTokens(): number {
    return this.#evictedTokens
  }

  /** @throws Error when the sequence holds none */
  pages(sequence: number): Int32Array {
    const pages = this.#pagesOf.get(sequence)
    if (pages === undefined) throw new Error(`sequence ${sequence} holds no pages`)
    return pages
  }

  hold(sequence: number, pages: Int32Array): void {
    this.#pagesOf.set(sequence, pages)
  }

  /** A sequence of its own; `undefined` when running requests have them all. */
  takeSequence(): number | undefined {
    for (;;) {
      const id = this.#ids.take()
      if (id !== undefined) return id
      const victim = this.#victim()
      if (victim === undefined) return undefined
      this.#evict(victim, 0)
    }
  }

  giveSequence(sequence: number): void {
    this.#ids.give(sequence)
  }

  /** `count` pages above page `above`, ascending; `undefined` when running requests leave no such room. */
  allocate(count: number, above: number): Int32Array | undefined {
    const { arena } = this.#parts
    for (;;) {
      const pages = arena.allocate(count, above)
      if (pages !== undefined) return pages
      const victim = this.#victim()
      if (victim === undefined) return undefined
      // Enough pages are free, but too far down: then a whole leaf goes, not page after page.
      const missing = count - arena.freePages
      this.#evict(victim, missing > 0 ? (pagesFor(victim.end) - missing) * pageCells : 0)
    }
  }

  /** Evicts until at most `pages` pages are in use, or nothing more may go. */
  keepSmall(pages: number): void {
    const { arena } = this.#parts
    while (arena.pages - arena.freePages > pages) {
      const victim = this.#victim()
      if (victim === undefined) return
      this.#evict(victim, 0)
    }
  }

  /** Evicts until at most `tokens` tokens are cached. */
  shrink(tokens: number): void {
    const { tree } = this.#parts
    for (let over = tree.cells - tokens; over > 0; over = tree.cells - tokens) {
      const victim = this.#victim()
      if (victim === undefined) return
      this.#evict(victim, victim.end - over)
    }
  }

  /** Drops the pages of a sequence behind the one that position `keep - 1` is in. */
  cut(sequence: number, keep: number): void {
    const { context, arena } = this.#parts
    const pages = this.pages(sequence)
    const kept = pagesFor(keep)
    if (kept >= pages.length) return
    context.removeSequence(sequence, kept * pageCells, -1)
    this.#pagesOf.set(sequence, pages.slice(0, kept))
    arena.release(pages.subarray(kept))
  }

  free(sequence: number): void {
    const { context, arena } = this.#parts
    context.removeSequence(sequence, 0, -1)
    arena.release(this.pages(sequence))
    this.#pagesOf.delete(sequence)
    this.#ids.give(sequence)
  }

  /** The leaf to evict. What is pinned goes behind all others, where no other tier would have it (P-7). */
  #victim(): PrefixNode | undefined {
    const { tree, ram, pins, arena } = this.#parts
    if (ram.enabled || pins.size === 0) return tree.victim()
    pins.limit(Math.floor((arena.pages * pageCells) / 2 / blockTokens))
    const kept = pins.list().map(({ scope, tokens }) => {
      const match = tree.match(scope, tokens, { limit: tokens.length, peek: true })
      return match?.length === tokens.length ? match.node : undefined
    })
    const victim = tree.victim(new Set(kept.filter((node) => node !== undefined)))
    // Memory pressure wins over every pin: those that expire soonest are given up, where that helps.
    return victim === undefined && tree.victim() !== undefined && pins.giveWay() ? this.#victim() : victim
  }

  /** Evicts a leaf, or what of it lies behind position `wanted`. */
  #evict(victim: PrefixNode, wanted: number): void {
    const { tree, ram } = this.#parts
    const { scope, sequence, end } = victim
    if (ram.enabled) ram.saveNow({ scope, tokens: tree.path(victim), sequence }, end)
    const keepFrom = Math.max(0, wanted - (wanted % pageCells))
    const { keep, freed } = tree.evict(victim, keepFrom)
    this.#evictedTokens += freed
    if (keep === 0) this.free(sequence)
    else this.cut(sequence, keep)
  }
}
