/** What is taken for a request's time before one has ended. */
const firstGuessMs = 1_000
const longestSeconds = 60

/** How long it takes until a place is free, learnt from the requests before. */
export class WaitEstimate {
  #meanMs = firstGuessMs

  /** A request was served, from its start to its end. */
  note(servedMs: number): void {
    this.#meanMs += (servedMs - this.#meanMs) / 8
  }

  /**
   * Whole seconds until all that wait have begun, and one more could: from 1 to 60.
   * @param options.servedMs how long those that run have run: one that takes longer than the mean says that it is too low
   */
  seconds(options: { readonly waiting: number; readonly servedMs: readonly number[] }): number {
    const { waiting, servedMs } = options
    const expected = servedMs.map((age) => Math.max(age, this.#meanMs))
    const meanMs = expected.reduce((sum, each) => sum + each, 0) / Math.max(1, expected.length)
    const seconds = Math.ceil((meanMs * (waiting + 1)) / Math.max(1, servedMs.length) / 1_000)
    return Math.min(longestSeconds, Math.max(1, seconds))
  }
}
