import type { ChainUse } from '@incipit/core'
import { LearningPolicy, rememberedFor } from '@incipit/core'
import type { PartialBlock } from './child-index.ts'
import { ChildIndex, rootOf } from './child-index.ts'
import { PinnedBlocks } from './pinned-blocks.ts'

/** A block to keep: its key, its parent's, and where it belongs. */
export interface NewBlock {
  readonly key: string
  /** `undefined` for the first block of a prefix. */
  readonly parentKey: string | undefined
  readonly scope: string
  /** Compared on every hit: a colliding key must not serve another prompt's state. */
  readonly tokens: Int32Array
}

/** A block as others may look at it. */
export interface BlockView {
  readonly key: string
  /** `undefined` for the first block of a prefix. */
  readonly parentKey: string | undefined
  readonly scope: string
  /** Requests that reused its state. */
  readonly hits: number
  /** Milliseconds since 1970; `undefined` where nobody knows any more. */
  readonly storedAt: number | undefined
  readonly usedAt: number
}

/** A block and the place where its state lies. */
export interface ShelvedBlock<Place> extends BlockView, NewBlock {
  readonly place: Place
  readonly depth: number
  hits: number
  usedAt: number
}

/** A block found at a start. */
export interface FoundBlock<Place> extends NewBlock {
  readonly place: Place
  readonly usedAt: number
}

/** Room for a block that is to be kept. */
export interface Claim<Place> {
  /** Where the state of the block lay that was dropped for it; `undefined` where none had to be. */
  readonly place: Place | undefined
}

export interface ShelfOptions {
  /** The wall clock, in milliseconds since 1970. */
  readonly now: () => number
  /** What the block of this number costs to compute, as the policy takes it. */
  readonly weightOf?: ((depth: number) => number) | undefined
}

/**
 * The blocks of one tier, wherever their states lie. The policy of core says which of them goes (docs/eviction.md):
 * never one above another that is here, never one that a lookup or a pin keeps.
 */
export class BlockShelf<Place> {
  readonly #now: () => number
  readonly #weightOf: (depth: number) => number
  readonly #policy = new LearningPolicy<string>({ remembered: rememberedFor(0) })
  readonly #blocks = new Map<string, ShelvedBlock<Place>>()
  readonly #children = new ChildIndex()
  /** Keys for which room was claimed, and which are not here yet. */
  readonly #claimed = new Set<string>()
  readonly #pinned: PinnedBlocks[] = []
  #pinLimit = Infinity
  #evicted = 0

  constructor({ now, weightOf }: ShelfOptions) {
    this.#now = now
    this.#weightOf = weightOf ?? (() => 1)
  }

  get size(): number {
    return this.#blocks.size
  }

  /** Blocks dropped for others since the start. */
  get evicted(): number {
    return this.#evicted
  }

  /** Memory of what the policy knows; bounded by eight times the blocks that fit, and in any case. */
  get policyBytes(): number {
    return this.#policy.bytes
  }

  /** How many blocks fit. */
  fits(blocks: number): void {
    this.#policy.remembered = rememberedFor(blocks)
    this.#pinLimit = Math.floor(blocks / 2)
    for (const pinned of this.#pinned) pinned.limit(this.#pinLimit)
  }

  has(key: string): boolean {
    return this.#blocks.has(key)
  }

  find(key: string): ShelvedBlock<Place> | undefined {
    return this.#blocks.get(key)
  }

  /** The block behind `parent` that goes on most like `rest`. */
  closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    return this.#children.closest(parent, rest)
  }

  /** All blocks, those used last first, parents before children. */
  lastUsedFirst(): readonly ShelvedBlock<Place>[] {
    return [...this.#blocks.values()].sort((left, right) => right.usedAt - left.usedAt || left.depth - right.depth)
  }

  /** A request has ended. @returns those of its blocks that are here */
  use(use: ChainUse<string>): readonly ShelvedBlock<Place>[] {
    const usedAt = this.#now()
    const here: ShelvedBlock<Place>[] = []
    for (const key of use.blocks) {
      const block = this.#blocks.get(key)
      // What is behind a block that is not here is not here either.
      if (block === undefined) break
      // A clock that was set back must not make a parent older than its child.
      block.usedAt = Math.max(block.usedAt, usedAt)
      here.push(block)
    }
    this.#policy.use(use)
    return here
  }

  /** Keeps those of a chain that are here until the function it returns is called, which is soon. */
  hold(keys: readonly string[]): () => void {
    const deepest = keys.findLast((key) => this.#blocks.has(key))
    if (deepest === undefined) return () => {}
    this.#policy.pin(deepest)
    return () => {
      // A block that turned out to be damaged is gone all the same.
      if (this.#blocks.has(deepest)) this.#policy.unpin(deepest)
    }
  }

  /** Pins of one book: what they keep goes behind everything else, and is at most half of what fits. */
  pins(): PinnedBlocks {
    const pinned = new PinnedBlocks({
      keep: (key) => {
        if (this.#isKnown(key)) this.#policy.pin(key)
      },
      release: (key) => {
        if (this.#isKnown(key)) this.#policy.unpin(key)
      },
    })
    pinned.limit(this.#pinLimit)
    this.#pinned.push(pinned)
    return pinned
  }

  /** Whether a block would be kept if there were no room but by dropping another one. */
  wouldKeep(key: string, parentKey: string | undefined, depth: number): boolean {
    return this.#isPinned(key) || this.#policy.wouldKeep(key, parentKey, this.#weightOf(depth))
  }

  /**
   * Claims room for a block whose parent is here, and which is not. Where all is `full`, another block is dropped for
   * it. Follow it up by `put` or `giveUp`.
   * @param options.must another one is dropped even where that one is worth more
   * @returns `undefined` when it is not worth keeping, or nothing may go
   */
  claim(block: NewBlock, options: { readonly full: boolean; readonly must?: boolean }): Claim<Place> | undefined {
    const { key, parentKey } = block
    this.#policy.admit(key, parentKey, this.#weightOf(this.#depthOf(parentKey)))
    this.#claimed.add(key)
    for (const pinned of this.#pinned) if (pinned.keeps(key)) this.#policy.pin(key)
    if (!options.full) return { place: undefined }
    const victim = this.#victim(key, options.must === true)
    const dropped = victim === undefined ? undefined : this.#blocks.get(victim)
    if (dropped === undefined) {
      this.giveUp(key)
      return undefined
    }
    this.#policy.remove(dropped.key)
    this.#take(dropped)
    this.#evicted++
    return { place: dropped.place }
  }

  /** The state of a block lies at `place`, for which room was claimed. */
  put(block: NewBlock, place: Place): void {
    const now = this.#now()
    // It is copied behind the request that used its parent last, so that no parent is older than its child.
    const usedAt = block.parentKey === undefined ? now : (this.#blocks.get(block.parentKey)?.usedAt ?? now)
    this.#claimed.delete(block.key)
    this.#add(block, { place, usedAt, storedAt: now })
  }

  /** A claim comes to nothing. */
  giveUp(key: string): void {
    for (const pinned of this.#pinned) if (pinned.keeps(key)) this.#policy.unpin(key)
    this.#policy.remove(key)
    this.#claimed.delete(key)
  }

  /** Takes in what a start found, parents before their children. */
  recall(blocks: readonly FoundBlock<Place>[]): void {
    const known = blocks.map((block) => this.#add(block, { ...block, storedAt: undefined }))
    for (const { parentKey, usedAt } of known.toReversed()) {
      const parent = parentKey === undefined ? undefined : this.#blocks.get(parentKey)
      // Whoever uses a block uses what is before it: a process that was killed may have noted one and not the other.
      if (parent !== undefined) parent.usedAt = Math.max(parent.usedAt, usedAt)
    }
    const times = [...new Set(known.map(({ usedAt }) => usedAt))].sort((left, right) => left - right)
    const numbers = new Map(times.map((time, index) => [time, index + 1]))
    this.#policy.recall(
      known.map(({ key, parentKey: parent, depth, usedAt }) => {
        return { key, parent, weight: this.#weightOf(depth), use: numbers.get(usedAt) ?? 1 }
      }),
    )
  }

  /** Drops a block, and all below it, of which nothing is known afterwards. @returns what was dropped */
  forgetFrom(key: string): readonly ShelvedBlock<Place>[] {
    const open = [key]
    const gone: ShelvedBlock<Place>[] = []
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      open.push(...this.#children.below(next))
      const block = this.#blocks.get(next)
      if (block !== undefined) gone.push(block)
    }
    for (const block of gone) this.#forget(block)
    return gone
  }

  /** Drops the blocks of every scope that begins with `scopePrefix`. @returns what was dropped */
  reset(scopePrefix: string): readonly ShelvedBlock<Place>[] {
    const gone = [...this.#blocks.values()].filter(({ scope }) => scope.startsWith(scopePrefix))
    for (const block of gone) this.#forget(block)
    return gone
  }

  /** The block to drop for `key`. Memory pressure wins over every pin (P-7): what expires soonest is given up. */
  #victim(key: string, must: boolean): string | undefined {
    if (must) return this.#victimBut(key)
    let victim = this.#policy.victim()
    while (victim === undefined && this.#pinned.some((pinned) => pinned.giveWay())) victim = this.#policy.victim()
    return victim
  }

  /** Another block than this one, pinned ones left out. */
  #victimBut(key: string): string | undefined {
    this.#policy.pin(key)
    const victim = this.#policy.victim()
    this.#policy.unpin(key)
    return victim
  }

  #isPinned(key: string): boolean {
    return this.#pinned.some((pinned) => pinned.keeps(key))
  }

  #isKnown(key: string): boolean {
    return this.#blocks.has(key) || this.#claimed.has(key)
  }

  #add(
    block: NewBlock,
    kept: { readonly place: Place; readonly usedAt: number; readonly storedAt: number | undefined },
  ): ShelvedBlock<Place> {
    const { key, parentKey, scope, tokens } = block
    const depth = this.#depthOf(parentKey)
    const shelved = { key, parentKey, scope, tokens, depth, hits: 0, ...kept }
    this.#blocks.set(key, shelved)
    this.#children.add(parentKey ?? rootOf(scope), { key, tokens })
    return shelved
  }

  #depthOf(parentKey: string | undefined): number {
    return parentKey === undefined ? 0 : (this.#blocks.get(parentKey)?.depth ?? 0) + 1
  }

  #forget(block: ShelvedBlock<Place>): void {
    this.#policy.forget(block.key)
    this.#take(block)
  }

  #take(block: ShelvedBlock<Place>): void {
    this.#blocks.delete(block.key)
    this.#children.delete(block.parentKey ?? rootOf(block.scope), block.key)
  }
}
