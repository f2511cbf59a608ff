/** Wall-clock and processor time of one batch, in milliseconds. */
export interface BatchCost {
  readonly elapsedMs: number
  /** User and system time of the whole process meanwhile. */
  readonly cpuMs: number
  /** How many threads it ran on. */
  readonly threads: number
}

/** Batches shorter than this say more about the clock than about the cores. */
const tellingMs = 5
/** Threads that wait for each other spin: with a core each they use nearly all of the wall-clock time. */
const fullShare = 0.8
/** How long to stay away from a core that somebody else uses, at first and at most. */
const firstRestMs = 1_000
const longestRestMs = 30_000

/**
 * How many of the wanted threads to use, batch by batch. The threads of a batch meet at barriers after
 * every operation; where another process takes one of their cores, all of them wait for its time
 * slices, and two threads become many times slower than one. A batch that got less processor time
 * than its threads can use is the sign; then one thread less, and later another try.
 *
 * @example governor.note({ elapsedMs, cpuMs, threads: 2 }, now); governor.threads(now)
 */
export class ThreadGovernor {
  readonly #wanted: number
  #using: number
  #restMs = firstRestMs
  #restUntil = 0

  constructor(wanted: number) {
    this.#wanted = wanted
    this.#using = wanted
  }

  threads(nowMs: number): number {
    if (this.#using < this.#wanted && nowMs >= this.#restUntil) this.#using = this.#wanted
    return this.#using
  }

  note(cost: BatchCost, nowMs: number): void {
    if (cost.threads === 1 || cost.threads !== this.#using || cost.elapsedMs < tellingMs) return
    const share = cost.cpuMs / (cost.elapsedMs * cost.threads)
    if (share >= fullShare) {
      this.#restMs = firstRestMs
      return
    }
    this.#using -= 1
    this.#restUntil = nowMs + this.#restMs
    this.#restMs = Math.min(longestRestMs, this.#restMs * 2)
  }
}
