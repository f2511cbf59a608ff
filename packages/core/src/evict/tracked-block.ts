/** What a policy knows of one block, held or remembered. */
export interface TrackedBlock<Key> {
  readonly key: Key
  /** Only while held: a memory must not keep the memory of its parent alive. */
  parent: TrackedBlock<Key> | undefined
  held: boolean
  /** Held blocks right below. */
  children: number
  pins: number
  /** Some prompt had it: those of an answer are held before any has. */
  asked: boolean
  /** Blocks above it. */
  depth: number
  /** Band of its weight. */
  band: number
  /** Number of the request that used it last, and the one that brought it. */
  lastUse: number
  bornAt: number
  reuses: number
  /** Requests between its last two uses. */
  gap: number
  /** How many requests made the path to it: 0 = the first one alone. */
  generation: number
  /** New tokens of the request that used it last. */
  brought: number
  /** Not full, and the last of its prompt. */
  open: boolean
  /** The turn was over after the request that used it last. */
  turnOver: boolean
  reuseClass: number
  /** Neighbours among the blocks that are not held. */
  older: TrackedBlock<Key> | undefined
  newer: TrackedBlock<Key> | undefined
  /** Cell of the leaf grid, and place in its heap; -1 = not a candidate. */
  cell: number
  place: number
}

export function trackBlock<Key>(key: Key, now: number, depth: number): TrackedBlock<Key> {
  return {
    key,
    parent: undefined,
    held: false,
    children: 0,
    pins: 0,
    asked: false,
    depth,
    band: 0,
    lastUse: now,
    bornAt: now,
    reuses: 0,
    gap: 0,
    generation: 0,
    brought: 0,
    open: false,
    turnOver: false,
    reuseClass: 0,
    older: undefined,
    newer: undefined,
    cell: -1,
    place: -1,
  }
}
