import type { EpochMs, WireHash } from '../domain/units.ts'
import { NodeStore, none } from './node-store.ts'
import { ResidencyStore } from './residency-store.ts'
import type { WeightedChain } from './wire-chain.ts'
import { wireHashAt } from './wire-chain.ts'

/** Budgets of a prefix index. About 80 bytes of memory per node with the default of residencies. */
export interface PrefixIndexOptions {
  /** Blocks kept at most, over all namespaces; each namespace takes one more node of this budget. */
  readonly maxNodes: number
  /** (node, replica) pairs kept at most; default twice the nodes. */
  readonly maxResidencies?: number | undefined
}

/** One use of a chain: when, and who holds it afterwards. */
export interface PrefixUse {
  readonly at: EpochMs
  /** The replica or key that served it. With `until`, every block of the chain is noted as held there. */
  readonly replica?: string | undefined
  readonly until?: EpochMs | undefined
}

/** What `insert` did. */
export interface InsertReceipt {
  /** Blocks that were known before. */
  readonly knownBlocks: number
  readonly addedBlocks: number
  /** Nodes dropped to make room, namespaces included. */
  readonly evictedNodes: number
}

/** The longest known prefix of a chain. */
export interface PrefixMatch {
  readonly blocks: number
  /** Weight of those blocks, in the unit of the chain. */
  readonly weight: number
  /** When that prefix was last used; `undefined` when nothing matched. */
  readonly lastSeen: EpochMs | undefined
}

/** How much of a chain one replica holds. */
export interface PrefixHolder {
  readonly replica: string
  readonly blocks: number
  readonly weight: number
  readonly until: EpochMs
}

/** Reuse of one prefix: a place where a segment ended or where prompts went different ways. */
export interface PrefixStatistics {
  readonly namespace: string
  readonly hash: WireHash
  readonly blocks: number
  readonly weight: number
  /** How often a chain that contains this prefix was inserted. */
  readonly uses: number
  readonly lastSeen: EpochMs
  /** Different ways in which known prompts go on. */
  readonly branches: number
  readonly holders: readonly { readonly replica: string; readonly until: EpochMs }[]
}

/**
 * What prompts have been seen, as a trie over chain hashes: answers how much of a prompt is known,
 * and where it is held. A namespace is a string for (upstream, credential, model, profile); nothing is
 * shared between namespaces, and the scope is in the hashes themselves.
 *
 * Every operation is linear in the length of the chain. Bounded by `maxNodes`: the least recently used
 * leaf goes first, so that shared openings outlive their endings.
 *
 * @example
 * const index = new PrefixIndex({ maxNodes: 65_536 })
 * index.insert('claude/key-1/opus', chain, { at: clock.now() })
 * index.match('claude/key-1/opus', nextChain).weight // bytes known
 */
export class PrefixIndex {
  readonly #nodes: NodeStore
  readonly #residencies: ResidencyStore
  readonly #roots = new Map<string, number>()
  readonly #namespaces = new Map<number, string>()
  readonly #replicaNumbers = new Map<string, number>()
  readonly #replicaNames: string[] = []
  #evicted = 0

  /** @throws RangeError when `maxNodes` is not an integer of at least 2 (a namespace and a block) */
  constructor(options: PrefixIndexOptions) {
    if (!Number.isSafeInteger(options.maxNodes) || options.maxNodes < 2) {
      throw new RangeError(`maxNodes must be an integer of at least 2, got ${options.maxNodes}`)
    }
    this.#nodes = new NodeStore(options.maxNodes)
    this.#residencies = new ResidencyStore(this.#nodes.firstResidency, options.maxResidencies ?? options.maxNodes * 2)
  }

  /** Nodes in use: blocks and namespaces. */
  get size(): number {
    return this.#nodes.size
  }

  /** Nodes dropped for want of room, and residencies that found none, since the start. */
  get losses(): { readonly evictedNodes: number; readonly droppedResidencies: number } {
    return { evictedNodes: this.#evicted, droppedResidencies: this.#residencies.dropped }
  }

  /**
   * Notes one use of a chain. Side effects: adds its unknown blocks, makes the whole path the most recent,
   * counts a use on each of its blocks, and evicts least recently used leaves when the budget is spent.
   * Of a chain longer than the budget the opening is kept. A known block keeps its first weight.
   */
  insert(namespace: string, chain: WeightedChain, use: PrefixUse): InsertReceipt {
    const evictedBefore = this.#evicted
    const path = this.#path(namespace, chain)
    // From the end to the root, so that every node becomes more recent than its children.
    for (let index = path.length - 1; index >= 0; index--) this.#nodes.touch(path[index] ?? none)
    if (path.length === 0) path.push(this.#addRoot(namespace))
    const known = path.length - 1
    const length = Math.min(chain.weights.length, this.#nodes.capacity - 1)
    for (let block = known; block < length; block++) path.push(this.#addBlock(path[block] ?? none, chain, block))
    this.#count(path, chain, use)
    return { knownBlocks: known, addedBlocks: length - known, evictedNodes: this.#evicted - evictedBefore }
  }

  /** The longest prefix of `chain` that is known. No side effects: asking does not keep a prefix alive. */
  match(namespace: string, chain: WeightedChain): PrefixMatch {
    const path = this.#path(namespace, chain)
    const last = path.at(-1)
    if (last === undefined || path.length === 1) return { blocks: 0, weight: 0, lastSeen: undefined }
    return {
      blocks: path.length - 1,
      weight: this.#nodes.total[last] ?? 0,
      lastSeen: this.#nodes.lastSeen[last] as EpochMs, // `last` is a node in use
    }
  }

  /** For each replica the longest prefix of `chain` it still holds at `at`, longest first. No side effects. */
  holders(namespace: string, chain: WeightedChain, at: EpochMs): PrefixHolder[] {
    const longest = new Map<number, PrefixHolder>()
    const path = this.#path(namespace, chain)
    for (let block = 1; block < path.length; block++) {
      const node = path[block] ?? none
      this.#residencies.visit(node, at, (replica, until) => {
        const weight = this.#nodes.total[node] ?? 0
        // Caches drop endings first: who holds a block holds everything before it.
        longest.set(replica, { replica: this.#replicaName(replica), blocks: block, weight, until })
      })
    }
    return [...longest.values()].sort((a, b) => b.blocks - a.blocks)
  }

  /** Ends everything that one replica holds (it restarted, or its cache was reset). Linear in the index. */
  release(replica: string): void {
    const number = this.#replicaNumbers.get(replica)
    if (number === undefined) return
    for (const node of this.#nodes.recency()) this.#residencies.release(node, number)
  }

  /** Drops up to `count` least recently used leaves; returns how many went, namespaces included. */
  evict(count: number): number {
    const before = this.#evicted
    while (this.#evicted - before < count && this.#nodes.size > 0) this.#evictOldest()
    return this.#evicted - before
  }

  /** Segment ends and branches, most used first. Linear in the index; for reports, not for requests. */
  statistics(limit: number, at: EpochMs): PrefixStatistics[] {
    const marked: number[] = []
    for (const node of this.#nodes.recency()) {
      const isBlock = this.#nodes.parent[node] !== none
      if (isBlock && (this.#nodes.endsSegment[node] === 1 || (this.#nodes.children[node] ?? 0) > 1)) marked.push(node)
    }
    const uses = (node: number): number => this.#nodes.uses[node] ?? 0
    const weight = (node: number): number => this.#nodes.total[node] ?? 0
    marked.sort((a, b) => uses(b) - uses(a) || weight(b) - weight(a))
    return marked.slice(0, limit).map((node) => this.#describe(node, at))
  }

  /** The known nodes of a chain, root first; empty when the namespace is unknown. */
  #path(namespace: string, chain: WeightedChain): number[] {
    const root = this.#roots.get(namespace)
    if (root === undefined) return []
    const path = [root]
    let node = root
    for (let block = 0; block < chain.weights.length; block++) {
      node = this.#nodes.find(node, chain.lanes[block * 2] ?? 0, chain.lanes[block * 2 + 1] ?? 0)
      if (node === none) break
      path.push(node)
    }
    return path
  }

  #addRoot(namespace: string): number {
    this.#makeRoom()
    const root = this.#nodes.add(none, 0, 0)
    this.#roots.set(namespace, root)
    this.#namespaces.set(root, namespace)
    return root
  }

  #addBlock(parent: number, chain: WeightedChain, block: number): number {
    // Never a node of the path being added: those are the most recent, and shorter than the budget.
    this.#makeRoom()
    const node = this.#nodes.add(parent, chain.lanes[block * 2] ?? 0, chain.lanes[block * 2 + 1] ?? 0)
    this.#nodes.total[node] = (this.#nodes.total[parent] ?? 0) + (chain.weights[block] ?? 0)
    return node
  }

  #makeRoom(): void {
    if (this.#nodes.size === this.#nodes.capacity) this.#evictOldest()
  }

  #evictOldest(): void {
    const leaf = this.#nodes.oldest
    const namespace = this.#namespaces.get(leaf)
    if (namespace !== undefined) {
      this.#namespaces.delete(leaf)
      this.#roots.delete(namespace)
    }
    this.#residencies.clear(leaf)
    this.#nodes.remove(leaf)
    this.#evicted += 1
  }

  #count(path: readonly number[], chain: WeightedChain, use: PrefixUse): void {
    const { uses, lastSeen, endsSegment } = this.#nodes
    const held = use.replica !== undefined && use.until !== undefined
    const times = { at: use.at, until: use.until ?? use.at }
    const replica = held ? this.#replicaNumber(use.replica) : none
    for (const node of path) {
      uses[node] = (uses[node] ?? 0) + 1
      lastSeen[node] = use.at
      if (held && this.#nodes.parent[node] !== none) this.#residencies.hold(node, replica, times)
    }
    for (let index = 0; index < chain.segmentEnds.length; index++) {
      const node = path[(chain.segmentEnds[index] ?? 0) + 1]
      if (node !== undefined) endsSegment[node] = 1
    }
  }

  #describe(node: number, at: EpochMs): PrefixStatistics {
    const { left, right, parent, depth, total, uses, lastSeen, children } = this.#nodes
    const holders: { replica: string; until: EpochMs }[] = []
    this.#residencies.visit(node, at, (replica, until) => holders.push({ replica: this.#replicaName(replica), until }))
    let root = node
    while (parent[root] !== none) root = parent[root] ?? none
    return {
      namespace: this.#namespaces.get(root) ?? '',
      hash: wireHashAt({ lanes: Uint32Array.of(left[node] ?? 0, right[node] ?? 0), weights: [0], segmentEnds: [] }, 0),
      blocks: depth[node] ?? 0,
      weight: total[node] ?? 0,
      uses: uses[node] ?? 0,
      lastSeen: lastSeen[node] as EpochMs, // `node` is in use
      branches: children[node] ?? 0,
      holders,
    }
  }

  #replicaNumber(replica: string): number {
    const known = this.#replicaNumbers.get(replica)
    if (known !== undefined) return known
    this.#replicaNames.push(replica)
    this.#replicaNumbers.set(replica, this.#replicaNames.length - 1)
    return this.#replicaNames.length - 1
  }

  #replicaName(number: number): string {
    return this.#replicaNames[number] ?? ''
  }
}
