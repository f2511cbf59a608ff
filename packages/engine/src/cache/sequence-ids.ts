/** Free sequence ids, smallest first, so that few different ones are ever in use. */
export class SequenceIds {
  readonly #free: number[] = []

  constructor(first: number, end: number) {
    for (let id = end - 1; id >= first; id--) this.#free.push(id)
  }

  take(): number | undefined {
    return this.#free.pop()
  }

  give(id: number): void {
    this.#free.push(id)
  }
}
