/** Stands for "no node" wherever a node is named. */
export const none = -1

/**
 * The nodes of the prefix index as parallel arrays: a trie whose roots are namespaces, an index from
 * (parent, hash) to child, and one recency list. No object per node.
 *
 * Invariant: every node is more recent than all of its children. So the least recent node of all is
 * a leaf, and eviction is to drop the tail of the list.
 */
export class NodeStore {
  readonly capacity: number
  readonly left: Uint32Array
  readonly right: Uint32Array
  readonly parent: Int32Array
  readonly children: Uint32Array
  /** Blocks from the root; a root has 0. */
  readonly depth: Uint32Array
  /** Weight from the root up to and including this node. */
  readonly total: Float64Array
  readonly uses: Uint32Array
  /** Epoch milliseconds of the last use. */
  readonly lastSeen: Float64Array
  readonly endsSegment: Uint8Array
  /** First residency record of the node, or `none`; kept by the residency store. */
  readonly firstResidency: Int32Array
  readonly #newer: Int32Array
  readonly #older: Int32Array
  readonly #buckets: Int32Array
  readonly #bucketNext: Int32Array
  #newest: number = none
  #oldest: number = none
  #firstFree: number = none
  /** Nodes from here on were never used. */
  #untouched = 0
  #size = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.left = new Uint32Array(capacity)
    this.right = new Uint32Array(capacity)
    this.parent = new Int32Array(capacity)
    this.children = new Uint32Array(capacity)
    this.depth = new Uint32Array(capacity)
    this.total = new Float64Array(capacity)
    this.uses = new Uint32Array(capacity)
    this.lastSeen = new Float64Array(capacity)
    this.endsSegment = new Uint8Array(capacity)
    this.firstResidency = new Int32Array(capacity)
    this.#newer = new Int32Array(capacity)
    this.#older = new Int32Array(capacity)
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(capacity + 1))).fill(none)
    this.#bucketNext = new Int32Array(capacity)
  }

  get size(): number {
    return this.#size
  }

  /** The least recent node: a leaf. */
  get oldest(): number {
    return this.#oldest
  }

  /** Nodes from the most to the least recent. */
  *recency(): Generator<number> {
    for (let node = this.#newest; node !== none; node = this.#older[node] ?? none) yield node
  }

  find(parent: number, left: number, right: number): number {
    let node = this.#buckets[this.#bucketOf(parent, left, right)] ?? none
    while (node !== none) {
      if (this.left[node] === left && this.right[node] === right && this.parent[node] === parent) return node
      node = this.#bucketNext[node] ?? none
    }
    return none
  }

  /**
   * Adds a leaf. A child comes right behind its parent in the recency list, a root at its head.
   * @throws RangeError when the store is full
   */
  add(parent: number, left: number, right: number): number {
    if (this.#size === this.capacity) throw new RangeError(`all ${this.capacity} nodes are in use`)
    const node = this.#take()
    this.left[node] = left
    this.right[node] = right
    this.parent[node] = parent
    this.children[node] = 0
    this.uses[node] = 0
    this.endsSegment[node] = 0
    this.firstResidency[node] = none
    this.depth[node] = 0
    this.total[node] = 0
    if (parent === none) {
      this.#linkAsNewest(node)
      return node
    }
    this.children[parent] = (this.children[parent] ?? 0) + 1
    this.depth[node] = (this.depth[parent] ?? 0) + 1
    const bucket = this.#bucketOf(parent, left, right)
    this.#bucketNext[node] = this.#buckets[bucket] ?? none
    this.#buckets[bucket] = node
    this.#linkBehind(node, parent)
    return node
  }

  /** Makes a node the most recent. To keep the invariant its ancestors must follow, up to the root. */
  touch(node: number): void {
    if (node === this.#newest) return
    this.#unlink(node)
    this.#linkAsNewest(node)
  }

  /** Takes a leaf out. */
  remove(leaf: number): void {
    const parent = this.parent[leaf] ?? none
    if (parent !== none) {
      this.children[parent] = (this.children[parent] ?? 0) - 1
      this.#leaveBucket(leaf, parent)
    }
    this.#unlink(leaf)
    this.#bucketNext[leaf] = this.#firstFree
    this.#firstFree = leaf
    this.#size -= 1
  }

  #take(): number {
    this.#size += 1
    if (this.#firstFree === none) return this.#untouched++
    const node = this.#firstFree
    this.#firstFree = this.#bucketNext[node] ?? none
    return node
  }

  // The lanes are hashes already; the parent is mixed in so that equal blocks of many parents spread.
  #bucketOf(parent: number, left: number, right: number): number {
    const mixed = Math.imul(left ^ Math.imul(parent + 1, 0x9e3779b1), 0x85ebca77) ^ right
    return (mixed ^ (mixed >>> 15)) & (this.#buckets.length - 1)
  }

  #leaveBucket(node: number, parent: number): void {
    const bucket = this.#bucketOf(parent, this.left[node] ?? 0, this.right[node] ?? 0)
    const next = this.#bucketNext[node] ?? none
    let at = this.#buckets[bucket] ?? none
    if (at === node) {
      this.#buckets[bucket] = next
      return
    }
    while (this.#bucketNext[at] !== node) at = this.#bucketNext[at] ?? none
    this.#bucketNext[at] = next
  }

  #linkAsNewest(node: number): void {
    this.#newer[node] = none
    this.#older[node] = this.#newest
    if (this.#newest === none) this.#oldest = node
    else this.#newer[this.#newest] = node
    this.#newest = node
  }

  #linkBehind(node: number, ahead: number): void {
    const behind = this.#older[ahead] ?? none
    this.#newer[node] = ahead
    this.#older[node] = behind
    this.#older[ahead] = node
    if (behind === none) this.#oldest = node
    else this.#newer[behind] = node
  }

  #unlink(node: number): void {
    const newer = this.#newer[node] ?? none
    const older = this.#older[node] ?? none
    if (newer === none) this.#newest = older
    else this.#older[newer] = older
    if (older === none) this.#oldest = newer
    else this.#newer[older] = newer
  }
}
