/** A prefix cache under LRU, written to be read: a list of chains of block names, most recent first. */
export class NaiveLru {
  #held: number[] = []
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get held(): readonly number[] {
    return this.#held
  }

  /** Blocks matched; afterwards those of the request are the most recent, its first block most of all. */
  request(chain: readonly number[]): number {
    let matched = 0
    while (matched < chain.length && this.#held.includes(chain[matched] ?? NaN)) matched++
    const others = this.#held.filter((block) => !chain.includes(block))
    this.#held = [...chain, ...others].slice(0, this.#capacity)
    return matched
  }
}
