/** A map that keeps the latest entries only: what a long run may take has an end. */
export class LatestEntries<Value> {
  readonly #entries = new Map<string, Value>()
  readonly #most: number

  constructor(most: number = 10_000) {
    this.#most = most
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  /** Adds an entry; may forget the oldest one. */
  set(key: string, value: Value): void {
    this.#entries.set(key, value)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
