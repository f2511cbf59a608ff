import { ageBucket, ageBuckets } from './age.ts'
import { BlockHeap, goesBefore } from './block-heap.ts'
import { reuseClasses } from './reuse-class.ts'
import type { TrackedBlock } from './tracked-block.ts'

/** Weights are told apart in half octaves from 1 on; all above the last band count as that. */
const weightBands = 8

/**
 * @throws RangeError when the weight is no number above 0
 * @example weightBand(2) // 2
 */
export function weightBand(weight: number): number {
  if (!(weight > 0)) throw new RangeError(`a weight must be a number above 0, got ${weight}`)
  return Math.min(weightBands - 1, Math.max(0, Math.round(2 * Math.log2(weight))))
}

/**
 * The blocks that may go, in cells of equal worth: one per class, bucket of age and band of weight. A block
 * changes its cell only when it is used or its age enters another bucket, so that time costs nothing to wait.
 */
export class LeafGrid<Key> {
  readonly #heaps: (BlockHeap<Key> | undefined)[]
  /** Cells from the least to the most worth. */
  #order: Int32Array = new Int32Array(0)
  readonly #rank: Int32Array
  readonly #worth: Float64Array
  #reuseWorth: Float64Array
  #bands = 1
  /** Every cell of a lower rank is empty. */
  #lowest = 0
  #now = 0

  constructor(reuseWorth: Float64Array) {
    const cells = reuseClasses * ageBuckets * weightBands
    this.#heaps = Array.from({ length: cells }, () => undefined)
    this.#rank = new Int32Array(cells)
    this.#worth = new Float64Array(cells)
    this.#reuseWorth = reuseWorth
    this.rank(reuseWorth)
  }

  /** Orders the cells by what blocks of each class and age are worth. */
  rank(reuseWorth: Float64Array): void {
    this.#reuseWorth = reuseWorth
    const cells = reuseClasses * ageBuckets * this.#bands
    const worth = this.#worth
    for (let cell = 0; cell < cells; cell++) {
      const band = Math.floor(cell / (reuseClasses * ageBuckets))
      worth[cell] = (reuseWorth[cell % (reuseClasses * ageBuckets)] ?? 0) * 2 ** (band / 2)
    }
    const byWorth = (a: number, b: number): number => (worth[a] ?? 0) - (worth[b] ?? 0) || a - b
    this.#order = Int32Array.from({ length: cells }, (_, cell) => cell).sort(byWorth)
    for (const [rank, cell] of this.#order.entries()) this.#rank[cell] = rank
    this.#lowest = 0
  }

  /** Goes on to the next request. */
  advance(now: number): void {
    this.#now = now
    for (let cell = 0; cell < this.#order.length; cell++) {
      const heap = this.#heaps[cell]
      const bucket = cell % ageBuckets
      for (let block = heap?.first; block !== undefined; block = heap?.first) {
        if (ageBucket(now - block.lastUse) === bucket) break
        this.remove(block)
        this.add(block)
      }
    }
  }

  add(block: TrackedBlock<Key>): void {
    if (block.band >= this.#bands) {
      this.#bands = block.band + 1
      this.rank(this.#reuseWorth)
    }
    const cell = (block.band * reuseClasses + block.reuseClass) * ageBuckets + ageBucket(this.#now - block.lastUse)
    block.cell = cell
    ;(this.#heaps[cell] ??= new BlockHeap()).add(block)
    this.#lowest = Math.min(this.#lowest, this.#rank[cell] ?? 0)
  }

  remove(block: TrackedBlock<Key>): void {
    if (block.cell < 0) return
    this.#heaps[block.cell]?.remove(block)
    block.cell = -1
  }

  /** The block of the least worth; among equals the oldest, of one request the deepest. */
  first(): TrackedBlock<Key> | undefined {
    for (; this.#lowest < this.#order.length; this.#lowest++) {
      const found = this.#firstOf(this.#lowest)
      if (found !== undefined) return this.#oldestOfEqual(found, this.#lowest)
    }
    return undefined
  }

  #oldestOfEqual(found: TrackedBlock<Key>, rank: number): TrackedBlock<Key> {
    const worth = this.#worth[this.#order[rank] ?? 0]
    let oldest = found
    for (let next = rank + 1; this.#worth[this.#order[next] ?? -1] === worth; next++) {
      const other = this.#firstOf(next)
      if (other !== undefined && goesBefore(other, oldest)) oldest = other
    }
    return oldest
  }

  #firstOf(rank: number): TrackedBlock<Key> | undefined {
    return this.#heaps[this.#order[rank] ?? -1]?.first
  }
}
