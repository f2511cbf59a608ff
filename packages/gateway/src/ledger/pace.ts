/** Longer than this, a blocking write holds up everybody else; in the background a busy loop adds to what is measured. */
const slowMs = { blocking: 5, background: 50 }
const firstPauseMs = 1_000
const longestPauseMs = 60_000

/**
 * Whether writes to a disk should rather be done in the background. One slow write makes it so for a second,
 * because on a busy machine it may be the process that was slow; each further one, within a minute after that,
 * for twice as long, to a minute.
 */
export class Pace {
  readonly #now: () => number
  #pauseMs = 0
  #until = -Infinity

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get patient(): boolean {
    return this.#pauseMs > 0 && this.#now() < this.#until
  }

  /** A write took this long. */
  took(ms: number, how: keyof typeof slowMs): void {
    if (ms <= slowMs[how]) return
    const now = this.#now()
    const again = now < this.#until + longestPauseMs
    this.#pauseMs = again ? Math.min(longestPauseMs, this.#pauseMs * 2) : firstPauseMs
    this.#until = now + this.#pauseMs
  }
}
