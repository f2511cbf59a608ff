/** A run of tokens below its parent. Leaves are owned by a sequence of the KV buffer; inner nodes by none. */
export interface PrefixNode {
  readonly scope: string
  /** `undefined` only for the root of a scope. */
  readonly parent: PrefixNode | undefined
  /** Position of the first token of this node, and the position behind its last. */
  readonly start: number
  readonly end: number
  /** The sequence that holds everything from position 0 to `end`; -1 for inner nodes. */
  readonly sequence: number
}

/** The longest prefix a scope holds of some tokens. */
export interface PrefixMatch {
  readonly length: number
  /** Deepest node of the match; its last tokens may lie beyond `length`. */
  readonly node: PrefixNode
  /** A leaf at or below `node`: its sequence holds positions `[0, length)`. */
  readonly leaf: PrefixNode
}

export interface PrefixInsertion {
  readonly node: PrefixNode
  /** Tokens the tree did not have before. */
  readonly added: number
  /** The sequence that owned the leaf which now has a child; it is needed no longer. */
  readonly displaced: number | undefined
}

/** What to do with the sequence of an evicted leaf: keep `[0, keep)`, or drop it where `keep` is 0. */
export interface PrefixEviction {
  readonly sequence: number
  readonly keep: number
  readonly freed: number
}

/** A node as others may look at it. */
export interface PrefixNodeView extends Omit<PrefixNode, 'parent'> {
  readonly parent: PrefixNodeView | undefined
  readonly children: { readonly size: number }
  /** Requests that reused all of it, and requests that reused its beginning. */
  readonly hits: number
  readonly partHits: number
  /** Milliseconds since 1970. */
  readonly storedAt: number
  readonly lastUsedAt: number
}

interface Node extends PrefixNode {
  parent: Node | undefined
  start: number
  end: number
  sequence: number
  tokens: Int32Array
  readonly children: Map<number, Node>
  pins: number
  /** Ticks of the tree's own clock: what came later, whatever the time of day. */
  usedAt: number
  hits: number
  partHits: number
  storedAt: number
  lastUsedAt: number
}

/**
 * Radix tree over exact tokens, one root per scope, that says which sequence of the KV buffer holds
 * which prefix. Every leaf is owned by one sequence that holds its whole path, so inner ranges are
 * held by any leaf below them, and dropping a sequence frees exactly what no other leaf shares.
 */
export class PrefixTree {
  readonly #roots = new Map<string, Node>()
  readonly #leaves = new Map<number, Node>()
  readonly #now: () => number
  #clock = 0
  #cells = 0

  /** @param now the wall clock, in milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Tokens held, shared prefixes counted once. */
  get cells(): number {
    return this.#cells
  }

  get leafCount(): number {
    return this.#leaves.size
  }

  /** Finds the longest prefix, at most `limit` tokens. Marks the path as just used unless `peek`. */
  match(
    scope: string,
    tokens: Int32Array,
    options: { readonly limit: number; readonly peek?: boolean },
  ): PrefixMatch | undefined {
    const root = this.#roots.get(scope)
    if (root === undefined) return undefined
    const found = descend(root, tokens, options.limit)
    if (found.length === 0) return undefined
    if (options.peek !== true) this.#touch(found.node)
    return { length: found.length, node: found.node, leaf: anyLeaf(found.node) }
  }

  /**
   * Records that `sequence` holds the first `count` of `tokens`. Where the tree already has them all,
   * nothing changes but the time of use, and `sequence` becomes no owner.
   */
  insert(scope: string, tokens: Int32Array, count: number, sequence: number): PrefixInsertion {
    let root = this.#roots.get(scope)
    if (root === undefined) this.#roots.set(scope, (root = newRoot(scope)))
    const found = descend(root, tokens, count)
    if (found.length === count) {
      this.#touch(found.node)
      return { node: found.node, added: 0, displaced: undefined }
    }
    const parent = found.length < found.node.end ? splitNode(found.node, found.length) : found.node
    const displaced = this.#disown(parent)
    const leaf: Node = {
      scope,
      parent,
      start: found.length,
      end: count,
      sequence,
      tokens: tokens.slice(found.length, count),
      children: new Map(),
      pins: 0,
      usedAt: 0,
      hits: 0,
      partHits: 0,
      storedAt: this.#now(),
      lastUsedAt: 0,
    }
    parent.children.set(leaf.tokens[0] as number, leaf)
    this.#leaves.set(sequence, leaf)
    this.#cells += leaf.end - leaf.start
    this.#touch(leaf)
    return { node: leaf, added: leaf.end - leaf.start, displaced: displaced === sequence ? undefined : displaced }
  }

  /** Whether a leaf is owned by `sequence`: then its cells must stay. */
  owns(sequence: number): boolean {
    return this.#leaves.has(sequence)
  }

  /** Keeps a node and everything above it; every pin needs its `unpin`. */
  pin(node: PrefixNode): void {
    ;(node as Node).pins++
  }

  unpin(node: PrefixNode): void {
    ;(node as Node).pins--
  }

  /** The leaf that goes next: least recently used, not pinned, none of `spared`. */
  victim(spared?: ReadonlySet<PrefixNode>): PrefixNode | undefined {
    let oldest: Node | undefined
    for (const leaf of this.#leaves.values()) {
      if (leaf.pins > 0 || spared?.has(leaf) === true) continue
      if (oldest === undefined || leaf.usedAt < oldest.usedAt) oldest = leaf
    }
    return oldest
  }

  /**
   * Takes a leaf away, or only its tail: `keepFrom` is the position down to which cells are wanted.
   * The last leaf below a node is cut back to that node, which becomes the leaf.
   */
  evict(victim: PrefixNode, keepFrom = 0): PrefixEviction {
    const leaf = victim as Node
    const { sequence, parent } = leaf
    if (keepFrom > leaf.start && keepFrom < leaf.end) {
      const freed = leaf.end - keepFrom
      leaf.tokens = leaf.tokens.subarray(0, keepFrom - leaf.start)
      leaf.end = keepFrom
      this.#cells -= freed
      return { sequence, keep: keepFrom, freed }
    }
    const freed = leaf.end - leaf.start
    this.#cells -= freed
    this.#leaves.delete(sequence)
    parent?.children.delete(leaf.tokens[0] as number)
    if (parent === undefined || parent.children.size > 0) return { sequence, keep: 0, freed }
    if (parent.parent === undefined) {
      this.#roots.delete(parent.scope)
      return { sequence, keep: 0, freed }
    }
    parent.sequence = sequence
    this.#leaves.set(sequence, parent)
    return { sequence, keep: parent.end, freed }
  }

  /** Drops every scope that begins with `scopePrefix`; returns the sequences that owned leaves there. */
  reset(scopePrefix: string): { readonly tokens: number; readonly sequences: readonly number[] } {
    const before = this.#cells
    const sequences: number[] = []
    for (const [sequence, leaf] of this.#leaves) {
      if (!leaf.scope.startsWith(scopePrefix)) continue
      sequences.push(sequence)
      this.#leaves.delete(sequence)
    }
    for (const [scope, root] of this.#roots) {
      if (!scope.startsWith(scopePrefix)) continue
      this.#roots.delete(scope)
      this.#cells -= sizeBelow(root)
    }
    return { tokens: before - this.#cells, sequences }
  }

  /** A request goes on with what a match found. */
  countHit({ node, length }: PrefixMatch): void {
    const last = node as Node
    if (length < last.end) last.partHits++
    else last.hits++
    for (let at = last.parent; at !== undefined; at = at.parent) at.hits++
  }

  /** The nodes of all scopes that begin with `scopePrefix`, those used last first, parents before children. */
  nodes(scopePrefix: string): readonly PrefixNodeView[] {
    const found: Node[] = []
    for (const [scope, root] of this.#roots) {
      if (!scope.startsWith(scopePrefix)) continue
      const open = [...root.children.values()]
      for (let node = open.pop(); node !== undefined; node = open.pop()) {
        found.push(node)
        open.push(...node.children.values())
      }
    }
    // A parent is never older than its child, and the order of equals stays.
    return found.sort((left, right) => right.usedAt - left.usedAt)
  }

  /** Every token from position 0 to the end of a node. */
  path(node: PrefixNode): Int32Array {
    const tokens = new Int32Array(node.end)
    for (let at: Node | undefined = node as Node; at !== undefined; at = at.parent) tokens.set(at.tokens, at.start)
    return tokens
  }

  /** A node that gets a child is no leaf any more. */
  #disown(node: Node): number | undefined {
    if (node.sequence < 0) return undefined
    const { sequence } = node
    this.#leaves.delete(sequence)
    node.sequence = -1
    return sequence
  }

  #touch(node: Node): void {
    const usedAt = ++this.#clock
    const lastUsedAt = this.#now()
    for (let at: Node | undefined = node; at !== undefined; at = at.parent) {
      at.usedAt = usedAt
      at.lastUsedAt = lastUsedAt
    }
  }
}

function newRoot(scope: string): Node {
  return {
    scope,
    parent: undefined,
    start: 0,
    end: 0,
    sequence: -1,
    tokens: new Int32Array(0),
    children: new Map(),
    pins: 0,
    usedAt: 0,
    hits: 0,
    partHits: 0,
    storedAt: 0,
    lastUsedAt: 0,
  }
}

function descend(root: Node, tokens: Int32Array, limit: number): { readonly node: Node; readonly length: number } {
  const end = Math.min(limit, tokens.length)
  let node = root
  let length = 0
  while (length < end) {
    const child = node.children.get(tokens[length] as number)
    if (child === undefined) break
    node = child
    const stop = Math.min(child.end, end)
    while (length < stop && child.tokens[length - child.start] === tokens[length]) length++
    if (length < child.end) break
  }
  return { node, length }
}

/** Cuts a node at position `at`. The lower part stays the same object: pins on it still keep all of it. */
function splitNode(node: Node, at: number): Node {
  const head = node.tokens.subarray(0, at - node.start)
  const upper: Node = {
    scope: node.scope,
    parent: node.parent,
    start: node.start,
    end: at,
    sequence: -1,
    tokens: head,
    children: new Map(),
    pins: 0,
    usedAt: node.usedAt,
    hits: node.hits + node.partHits,
    partHits: 0,
    storedAt: node.storedAt,
    lastUsedAt: node.lastUsedAt,
  }
  node.parent?.children.set(head[0] as number, upper)
  node.tokens = node.tokens.subarray(at - node.start)
  node.start = at
  node.parent = upper
  // Those that went on elsewhere did so at this place, or before it.
  node.partHits = 0
  upper.children.set(node.tokens[0] as number, node)
  return upper
}

/** Any leaf will do: each holds the whole path above it. */
function anyLeaf(node: Node): Node {
  let at = node
  while (at.sequence < 0) {
    const next = at.children.values().next()
    if (next.done === true) break
    at = next.value
  }
  return at
}

function sizeBelow(root: Node): number {
  let total = 0
  const open: Node[] = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    total += node.end - node.start
    open.push(...node.children.values())
  }
  return total
}
