import { digest } from '../digest.ts'

/** Picks one of several replicas: the same one for the same affinity key, each in turn without one. */
export class ReplicaChooser {
  readonly #count: number
  #next = 0

  constructor(count: number) {
    this.#count = count
  }

  /** @returns an index; without a key it moves on by one */
  choose(affinityKey: string | undefined): number {
    if (affinityKey !== undefined) return Number.parseInt(digest('replica', affinityKey).slice(0, 8), 16) % this.#count
    const chosen = this.#next
    this.#next = (this.#next + 1) % this.#count
    return chosen
  }

  reset(): void {
    this.#next = 0
  }
}
