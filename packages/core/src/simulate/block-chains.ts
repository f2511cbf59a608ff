import { TraceError } from './trace-error.ts'
import type { TraceRequest } from './trace.ts'

/** A request as the simulation sees it. */
export interface ChainedRequest {
  /** Number of each block, from 0 on: equal blocks after equal blocks have equal numbers. */
  readonly chain: Int32Array
  readonly inputTokens: number
  /** Tokens that the blocks stand for. */
  readonly blockTokens: number
  readonly turnOver: boolean | undefined
}

/**
 * Turns requests into chains of blocks of `block` tokens by joining neighbouring blocks of the trace. A shorter
 * group at the end is a block of its own, which only the same group after the same blocks equals.
 *
 * @example
 * const chains = new BlockChains(512)
 * for await (const request of readTrace(lines)) requests.push(chains.add(request))
 */
export class BlockChains {
  readonly block: number
  readonly #trie = new NumberTrie()
  /** Block number of a node of the trie + 1; 0 = it ends no block. */
  #blockOf = new Int32Array(1024)
  #blocks = 0

  /** @throws RangeError when `block` is not an integer of at least 1 */
  constructor(block: number) {
    if (!Number.isSafeInteger(block) || block < 1)
      throw new RangeError(`block must be a whole number of at least 1, got ${block}`)
    this.block = block
  }

  /** Different blocks so far. */
  get blocks(): number {
    return this.#blocks
  }

  /** @throws TraceError when blocks of the trace cannot be joined to blocks of this size */
  add({ blockTokens, blocks, inputTokens, turnOver }: TraceRequest): ChainedRequest {
    const group = this.block / blockTokens
    if (!Number.isInteger(group)) {
      throw new TraceError(
        `the trace has blocks of ${blockTokens} tokens: blocks of ${this.block} cannot be made of them, only multiples of ${blockTokens}`,
      )
    }
    const chain = new Int32Array(Math.ceil(blocks.length / group))
    let node = 0
    for (const [index, id] of blocks.entries()) {
      node = this.#trie.child(node, id)
      // A node stands for everything up to it, and its depth says whether the group is a full one.
      if ((index + 1) % group === 0 || index === blocks.length - 1)
        chain[Math.floor(index / group)] = this.#blockAt(node)
    }
    return { chain, inputTokens, blockTokens: Math.min(inputTokens, blocks.length * blockTokens), turnOver }
  }

  #blockAt(node: number): number {
    if (node >= this.#blockOf.length) this.#blockOf = grown(this.#blockOf, this.#trie.capacity)
    const known = this.#blockOf[node] ?? 0
    if (known > 0) return known - 1
    this.#blockOf[node] = ++this.#blocks
    return this.#blocks - 1
  }
}

/** Nodes for sequences of numbers: node 0 is the empty one. Open addressing, since traces have millions. */
class NumberTrie {
  #parents = new Int32Array(1024)
  #ids = new Float64Array(1024)
  #slots = new Int32Array(2048)
  #size = 1

  get capacity(): number {
    return this.#parents.length
  }

  child(parent: number, id: number): number {
    let slot = this.#slotOf(parent, id)
    for (let node = this.#slots[slot] ?? 0; node !== 0; node = this.#slots[slot] ?? 0) {
      if (this.#parents[node] === parent && this.#ids[node] === id) return node
      slot = (slot + 1) & (this.#slots.length - 1)
    }
    if (this.#size === this.#parents.length) {
      this.#grow()
      return this.child(parent, id)
    }
    this.#parents[this.#size] = parent
    this.#ids[this.#size] = id
    this.#slots[slot] = this.#size
    return this.#size++
  }

  #grow(): void {
    const capacity = this.#parents.length * 2
    this.#parents = grown(this.#parents, capacity)
    const ids = new Float64Array(capacity)
    ids.set(this.#ids)
    this.#ids = ids
    this.#slots = new Int32Array(capacity * 2)
    for (let node = 1; node < this.#size; node++) {
      let slot = this.#slotOf(this.#parents[node] ?? 0, this.#ids[node] ?? 0)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1)
      this.#slots[slot] = node
    }
  }

  #slotOf(parent: number, id: number): number {
    const low = id >>> 0
    const mixed = Math.imul(parent ^ Math.imul(low + Math.floor(id / 2 ** 32), 0x9e3779b1), 0x85ebca77)
    return (mixed ^ (mixed >>> 15)) & (this.#slots.length - 1)
  }
}

function grown(numbers: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity)
  larger.set(numbers)
  return larger
}
