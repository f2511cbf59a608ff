import type { ChainUse } from '../evict/policy.ts'
import type { ChainedRequest } from './block-chains.ts'
import type { ReplayPolicy } from './simulate-cache.ts'

interface Node {
  readonly block: number
  readonly depth: number
  nextUse: number
}

/**
 * Knows the future (Belady's MIN): the block that is used again last goes, of equal ones the deepest, and a new
 * block goes at once when that is itself. A block is used no later than those below it, so that no child loses
 * its parent. The bound for what any policy can reach.
 *
 * @example new CacheSimulation({ policy: new MinPolicy(requests), capacityBlocks: 1_000, block: 512 })
 */
export class MinPolicy implements ReplayPolicy {
  /** Per request, for each of its blocks, the number of the request that uses it next. */
  readonly #nextUses: readonly Int32Array[]
  readonly #held = new Map<number, Node>()
  /** Next uses of blocks in the present request. */
  readonly #present = new Map<number, Node>()
  /** Latest next use first; entries whose block has gone or has another next use by now are passed over. */
  readonly #queue: Node[] = []
  #request = -1

  constructor(requests: readonly ChainedRequest[]) {
    this.#nextUses = nextUses(requests)
  }

  use({ blocks }: ChainUse<number>): void {
    const next = this.#nextUses[++this.#request]
    if (next === undefined) throw new RangeError(`request ${this.#request} is beyond the known future`)
    this.#present.clear()
    for (const [depth, block] of blocks.entries()) {
      const node = { block, depth, nextUse: next[depth] ?? never }
      this.#present.set(block, node)
      if (!this.#held.has(block)) continue
      this.#held.set(block, node)
      push(this.#queue, node)
    }
  }

  admit(block: number): void {
    const node = this.#present.get(block)
    if (node === undefined) throw new RangeError('the block is not of the present request')
    this.#held.set(block, node)
    push(this.#queue, node)
  }

  victim(): number | undefined {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (this.#held.get(first.block) === first) return first.block
      pop(this.#queue)
    }
    return undefined
  }

  remove(block: number): void {
    this.#held.delete(block)
  }
}

const never = 2 ** 31 - 1

function nextUses(requests: readonly ChainedRequest[]): readonly Int32Array[] {
  const coming = new Map<number, number>()
  const uses: Int32Array[] = []
  for (let index = requests.length - 1; index >= 0; index--) {
    const chain = requests[index]?.chain ?? new Int32Array(0)
    uses.push(chain.map((block) => coming.get(block) ?? never))
    for (const block of chain) coming.set(block, index)
  }
  return uses.toReversed()
}

function goesBefore(node: Node, other: Node): boolean {
  return node.nextUse === other.nextUse ? node.depth > other.depth : node.nextUse > other.nextUse
}

function push(heap: Node[], node: Node): void {
  let place = heap.length
  heap.push(node)
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !goesBefore(node, parent)) break
    heap[place] = parent
    place = above
  }
  heap[place] = node
}

function pop(heap: Node[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let place = 0
  for (;;) {
    let below = 2 * place + 1
    let next = heap[below]
    if (next === undefined) break
    const right = heap[below + 1]
    if (right !== undefined && goesBefore(right, next)) {
      next = right
      below++
    }
    if (!goesBefore(next, last)) break
    heap[place] = next
    place = below
  }
  heap[place] = last
}
