/** One use of a prefix, as a policy sees it once the request has ended. */
export interface ChainUse<Key> {
  /** Every block of the prompt from the first on, whether it is held or not. */
  readonly blocks: readonly Key[]
  /** Position behind the last token of block `index`. */
  readonly end: (index: number) => number
  /** The last block is not full: a prompt that goes on has another block in its place. */
  readonly open: boolean
  /**
   * The answer ended the turn: a person goes on, and not a program with the result of a tool. `undefined` = not
   * known.
   */
  readonly turnOver?: boolean | undefined
}

/**
 * Decides which block goes when there is no room. It holds no blocks itself: whoever does tells it what is
 * used, held and dropped, and asks for a victim. Blocks form trees, and a block is useless without its
 * parent, so only blocks without held children are ever named.
 *
 * @example
 * policy.use({ blocks: keys, end, open: false, turnOver: true })
 * policy.admit(key, parent)
 * if (full) {
 *   const victim = policy.victim() // may be `key` itself: then it is not worth keeping
 *   if (victim !== undefined) policy.remove(victim)
 * }
 */
export interface EvictionPolicy<Key> {
  /** Notes one request. Side effects: its blocks are the most recent, and time goes on by one request. */
  use(use: ChainUse<Key>): void
  /**
   * A block is held from now on. `weight` is what its tokens cost to compute against the room they take,
   * relative to a block at position 0.
   * @throws RangeError when the parent is not held, the block already is, or the weight is no number above 0
   */
  admit(key: Key, parent: Key | undefined, weight?: number): void
  /** The block to drop next; it stays held until `remove`. `undefined` when none may go. */
  victim(): Key | undefined
  /**
   * A block is held no longer; what is known of its use stays known.
   * @throws RangeError when it is not held, is pinned, or has held children
   */
  remove(key: Key): void
  /** Drops a block and all that is known of it; whoever forgets one forgets all below it, in any order. */
  forget(key: Key): void
  /** A held block was cut in two: `upper` is its first part, has its past and its parent, and is its parent from now on. */
  split(key: Key, upper: Key): void
  /** Keeps a block, and so everything above it; every pin needs its `unpin`. */
  pin(key: Key): void
  unpin(key: Key): void
}
