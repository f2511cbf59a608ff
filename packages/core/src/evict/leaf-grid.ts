import { ageBucket, ageBuckets } from './age.ts'
import { BlockHeap, goesBefore } from './block-heap.ts'
import { reuseClasses } from './reuse-class.ts'
import type { TrackedBlock } from './tracked-block.ts'
import { RankSet } from './rank-set.ts'

/** Weights are told apart in half octaves from 1 on; all above the last band count as that. */
const weightBands = 8
/** Cells of one band. */
const bandCells = reuseClasses * ageBuckets

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
  readonly #order: Int32Array
  readonly #rank: Int32Array
  readonly #worth: Float64Array
  /** Ranks of the cells that hold a block. */
  readonly #filled: RankSet
  #now = 0

  constructor(reuseWorth: Float64Array) {
    const cells = bandCells * weightBands
    this.#heaps = Array.from({ length: cells }, () => undefined)
    this.#order = new Int32Array(cells)
    this.#rank = new Int32Array(cells)
    this.#worth = new Float64Array(cells)
    this.#filled = new RankSet(cells)
    // What a block saves is no reason to leave the order of use before anything is known of its reuse.
    this.#rankBy(reuseWorth, () => 1)
  }

  /** Orders the cells by what blocks of each class and age are worth, and by their weights. */
  rank(reuseWorth: Float64Array): void {
    this.#rankBy(reuseWorth, (band) => 2 ** (band / 2))
  }

  /** Goes on to the next request. */
  advance(now: number): void {
    this.#now = now
    for (let rank = this.#filled.next(0); rank >= 0; rank = this.#filled.next(rank + 1)) {
      const cell = this.#order[rank] ?? 0
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
    const cell = this.#cellOf(block)
    block.cell = cell
    ;(this.#heaps[cell] ??= new BlockHeap()).add(block)
    this.#filled.add(this.#rank[cell] ?? 0)
  }

  remove(block: TrackedBlock<Key>): void {
    if (block.cell < 0) return
    const heap = this.#heaps[block.cell]
    heap?.remove(block)
    if (heap?.first === undefined) this.#filled.delete(this.#rank[block.cell] ?? 0)
    block.cell = -1
  }

  /** The block of the least worth; among equals the oldest, of one request the deepest. */
  first(): TrackedBlock<Key> | undefined {
    const lowest = this.#filled.next(0)
    const worth = this.#worthAt(lowest)
    let first: TrackedBlock<Key> | undefined
    for (let rank = lowest; rank >= 0 && this.#worthAt(rank) === worth; rank = this.#filled.next(rank + 1)) {
      const block = this.#heaps[this.#order[rank] ?? 0]?.first
      if (first === undefined || (block !== undefined && goesBefore(block, first))) first = block
    }
    return first
  }

  /** Whether a block that is not here would come before the first one. */
  wouldBeFirst(block: TrackedBlock<Key>): boolean {
    const first = this.first()
    if (first === undefined) return true
    const [own = 0, other = 0] = [this.#worth[this.#cellOf(block)], this.#worth[first.cell]]
    return own === other ? goesBefore(block, first) : own < other
  }

  /** Weights only scale what the classes are worth: the order within a band is the same in all of them. */
  #rankBy(reuseWorth: Float64Array, weightOf: (band: number) => number): void {
    const base = Int32Array.from({ length: bandCells }, (_, cell) => cell)
    base.sort((a, b) => (reuseWorth[a] ?? 0) - (reuseWorth[b] ?? 0) || a - b)
    for (let band = 0; band < weightBands; band++) {
      const weight = weightOf(band)
      for (let cell = 0; cell < bandCells; cell++)
        this.#worth[band * bandCells + cell] = (reuseWorth[cell] ?? 0) * weight
    }
    this.#merge(base)
    this.#filled.clear()
    for (const [rank, cell] of this.#order.entries()) {
      this.#rank[cell] = rank
      if (this.#heaps[cell]?.first !== undefined) this.#filled.add(rank)
    }
  }

  /** Orders the cells of all bands, of which `base` is the order in each. */
  #merge(base: Int32Array): void {
    const next = new Int32Array(weightBands)
    const worthOfNext = Float64Array.from({ length: weightBands }, (_, band) => this.#worthIn(band, base[0]))
    for (let rank = 0; rank < this.#order.length; rank++) {
      let least = 0
      for (let band = 1; band < weightBands; band++) {
        if ((worthOfNext[band] ?? 0) < (worthOfNext[least] ?? 0)) least = band
      }
      const at = next[least] ?? 0
      this.#order[rank] = least * bandCells + (base[at] ?? 0)
      next[least] = at + 1
      worthOfNext[least] = this.#worthIn(least, base[at + 1])
    }
  }

  /** More than any where a band has no cell left. */
  #worthIn(band: number, cell: number | undefined): number {
    return cell === undefined ? Infinity : (this.#worth[band * bandCells + cell] ?? 0)
  }

  #cellOf(block: TrackedBlock<Key>): number {
    return block.band * bandCells + block.reuseClass * ageBuckets + ageBucket(this.#now - block.lastUse)
  }

  /** `undefined` for no rank at all. */
  #worthAt(rank: number): number | undefined {
    return this.#worth[this.#order[rank] ?? -1]
  }
}
