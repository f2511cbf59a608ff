/** Events that wait before their source is asked to pause. */
const mostWaiting = 256

/**
 * Hands events from callbacks to a loop, in order. Its source pauses while it is full and is resumed as the
 * loop catches up.
 *
 * @example for await (const event of queue) ...
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #source: { resume(): void }
  #waiting: T[] = []
  #next = 0
  #over: 'no' | 'ended' | Error = 'no'
  #wake: (() => void) | undefined

  constructor(source: { resume(): void }) {
    this.#source = source
  }

  get full(): boolean {
    return this.#waiting.length - this.#next >= mostWaiting
  }

  push(event: T): void {
    this.#waiting.push(event)
    this.#wake?.()
  }

  end(): void {
    if (this.#over === 'no') this.#over = 'ended'
    this.#wake?.()
  }

  /** What has arrived is still handed out, then the loop throws. */
  fail(error: Error): void {
    if (this.#over === 'no') this.#over = error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      while (this.#next < this.#waiting.length) yield this.#take()
      if (this.#over === 'ended') return
      if (this.#over !== 'no') throw this.#over
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  #take(): T {
    const wasFull = this.full
    const event = this.#waiting[this.#next++] as T // below the length
    if (this.#next === this.#waiting.length) {
      this.#waiting = []
      this.#next = 0
    }
    if (wasFull && !this.full) this.#source.resume()
    return event
  }
}
