import { ageBucket, ageBuckets, ageHorizon, crossingAges } from './age.ts'

/**
 * What became of blocks after each use, by class and age: used again, lost from sight, or waiting still.
 * Waiting blocks are counted per request that used them last, so that time passes for all of them at once.
 */
export class ReuseCensus {
  /** Blocks used again at that age; fades. Index: class * `ageBuckets` + bucket. */
  readonly hits: Float64Array
  /** Blocks lost from sight at that age; fades. */
  readonly lost: Float64Array
  /** Blocks of that age now, held or remembered. */
  readonly waiting: Float64Array
  readonly #classes: number
  readonly #rows: Uint32Array
  #now = 0

  constructor(classes: number) {
    this.#classes = classes
    this.hits = new Float64Array(classes * ageBuckets)
    this.lost = new Float64Array(classes * ageBuckets)
    this.waiting = new Float64Array(classes * ageBuckets)
    this.#rows = new Uint32Array(classes * ageHorizon)
  }

  /** Goes on to the next request: everything waiting ages by one. */
  advance(): void {
    this.#now++
    for (const age of crossingAges) {
      if (age > this.#now) break
      this.#cross(this.#now - age, age)
    }
    const row = this.#row(this.#now)
    this.#rows.fill(0, row, row + this.#classes)
  }

  /** A block waits since the request that used it last. */
  enter(reuseClass: number, lastUse: number): void {
    this.#count(reuseClass, lastUse, 1)
  }

  /** A waiting block was used again. */
  hit(reuseClass: number, lastUse: number): void {
    add(this.hits, this.#cell(reuseClass, lastUse), 1)
    this.#count(reuseClass, lastUse, -1)
  }

  /** A waiting block is not watched any more. */
  lose(reuseClass: number, lastUse: number): void {
    add(this.lost, this.#cell(reuseClass, lastUse), 1)
    this.#count(reuseClass, lastUse, -1)
  }

  /** Undoes `enter`, as if the block had never been seen. */
  withdraw(reuseClass: number, lastUse: number): void {
    this.#count(reuseClass, lastUse, -1)
  }

  /** Makes what is past count less than what is to come. */
  fade(factor: number): void {
    for (let cell = 0; cell < this.hits.length; cell++) {
      this.hits[cell] = (this.hits[cell] ?? 0) * factor
      this.lost[cell] = (this.lost[cell] ?? 0) * factor
    }
  }

  #cross(request: number, age: number): void {
    const row = this.#row(request)
    const from = ageBucket(age - 1)
    const to = ageBucket(age)
    for (let reuseClass = 0; reuseClass < this.#classes; reuseClass++) {
      const count = this.#rows[row + reuseClass] ?? 0
      if (count === 0) continue
      add(this.waiting, reuseClass * ageBuckets + from, -count)
      add(this.waiting, reuseClass * ageBuckets + to, count)
    }
  }

  #count(reuseClass: number, lastUse: number, change: 1 | -1): void {
    add(this.waiting, this.#cell(reuseClass, lastUse), change)
    // Older rows are gone: their blocks wait in the last bucket, which nothing leaves by age.
    if (this.#now - lastUse < ageHorizon) add(this.#rows, this.#row(lastUse) + reuseClass, change)
  }

  #cell(reuseClass: number, lastUse: number): number {
    return reuseClass * ageBuckets + ageBucket(this.#now - lastUse)
  }

  #row(request: number): number {
    return (request % ageHorizon) * this.#classes
  }
}

function add(counts: Float64Array | Uint32Array, index: number, change: number): void {
  counts[index] = (counts[index] ?? 0) + change
}
