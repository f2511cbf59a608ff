/** Whole numbers below a bound, of which the next one present is found at once: 32 are looked at in one step. */
export class RankSet {
  readonly #words: Int32Array

  constructor(bound: number) {
    this.#words = new Int32Array(Math.ceil(bound / 32))
  }

  add(rank: number): void {
    this.#words[rank >> 5] = (this.#words[rank >> 5] ?? 0) | (1 << (rank & 31))
  }

  delete(rank: number): void {
    this.#words[rank >> 5] = (this.#words[rank >> 5] ?? 0) & ~(1 << (rank & 31))
  }

  clear(): void {
    this.#words.fill(0)
  }

  /** The smallest number present from `rank` on; -1 = none. */
  next(rank: number): number {
    let index = rank >> 5
    // In the first word only what is not below `rank` counts.
    let word = (this.#words[index] ?? 0) & (-1 << (rank & 31))
    while (word === 0) {
      if (++index >= this.#words.length) return -1
      word = this.#words[index] ?? 0
    }
    return index * 32 + 31 - Math.clz32(word & -word)
  }
}
