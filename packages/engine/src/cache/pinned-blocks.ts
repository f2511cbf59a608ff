/** A prefix to keep, as a tier sees it. */
export interface KeptPrefix {
  /** Keys of its blocks, from the first on. */
  readonly keys: readonly string[]
  readonly expiresAt: number
  /** A tier keeps it no longer, for want of room. */
  lost(): void
}

/** What a tier does when a block becomes part of what is kept, and when it is none any more. */
export interface PinHooks {
  keep(key: string): void
  release(key: string): void
}

/**
 * Which blocks of one tier pins keep, whether they are there by now or not: never more than a limit. What expires
 * soonest gives way.
 */
export class PinnedBlocks {
  readonly #hooks: PinHooks
  readonly #prefixes = new Set<KeptPrefix>()
  /** Keys of the blocks of all of them, with how many each is part of. */
  readonly #kept = new Map<string, number>()
  #limit = Infinity

  constructor(hooks: PinHooks = { keep: () => {}, release: () => {} }) {
    this.#hooks = hooks
  }

  /** Blocks that are kept, shared ones counted once. */
  get size(): number {
    return this.#kept.size
  }

  has(prefix: KeptPrefix): boolean {
    return this.#prefixes.has(prefix)
  }

  keeps(key: string): boolean {
    return this.#kept.has(key)
  }

  /** At most so many blocks are kept from now on. */
  limit(blocks: number): void {
    this.#limit = blocks
    while (this.#kept.size > this.#limit && this.giveWay());
  }

  /** Keeps a prefix from now on, if there is room for what expires when it does. */
  add(prefix: KeptPrefix): void {
    if (this.#prefixes.has(prefix)) return
    // It would push all others out, and go itself.
    if (prefix.keys.length > this.#limit) return prefix.lost()
    this.#prefixes.add(prefix)
    for (const key of prefix.keys) {
      const count = this.#kept.get(key) ?? 0
      this.#kept.set(key, count + 1)
      if (count === 0) this.#hooks.keep(key)
    }
    this.limit(this.#limit)
  }

  delete(prefix: KeptPrefix): void {
    if (!this.#prefixes.delete(prefix)) return
    for (const key of prefix.keys) {
      const count = (this.#kept.get(key) ?? 1) - 1
      if (count > 0) this.#kept.set(key, count)
      else {
        this.#kept.delete(key)
        this.#hooks.release(key)
      }
    }
  }

  /** Gives up what expires soonest. False when there is nothing. */
  giveWay(): boolean {
    let soonest: KeptPrefix | undefined
    for (const prefix of this.#prefixes) {
      if (soonest === undefined || prefix.expiresAt < soonest.expiresAt) soonest = prefix
    }
    if (soonest === undefined) return false
    this.delete(soonest)
    soonest.lost()
    return true
  }
}
