import type { TrackedBlock } from './tracked-block.ts'

/** Blocks by last use, oldest first, of one request the deepest first. Knows where each is, so that any can leave. */
export class BlockHeap<Key> {
  readonly #blocks: TrackedBlock<Key>[] = []

  get size(): number {
    return this.#blocks.length
  }

  get first(): TrackedBlock<Key> | undefined {
    return this.#blocks[0]
  }

  add(block: TrackedBlock<Key>): void {
    this.#blocks.push(block)
    this.#rise(block, this.#blocks.length - 1)
  }

  remove(block: TrackedBlock<Key>): void {
    const last = this.#blocks.pop()
    if (last === undefined || last === block) return
    const { place } = block
    this.#rise(last, place)
    if (last.place === place) this.#sink(last, place)
  }

  #rise(block: TrackedBlock<Key>, from: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#blocks[above]
      if (parent === undefined || !goesBefore(block, parent)) break
      this.#put(parent, place)
      place = above
    }
    this.#put(block, place)
  }

  #sink(block: TrackedBlock<Key>, from: number): void {
    let place = from
    for (;;) {
      let below = 2 * place + 1
      const left = this.#blocks[below]
      if (left === undefined) break
      const right = this.#blocks[below + 1]
      const next = right !== undefined && goesBefore(right, left) ? right : left
      if (next === right) below++
      if (!goesBefore(next, block)) break
      this.#put(next, place)
      place = below
    }
    this.#put(block, place)
  }

  #put(block: TrackedBlock<Key>, place: number): void {
    this.#blocks[place] = block
    block.place = place
  }
}

/** Whether a block of equal worth goes before another. */
export function goesBefore(block: TrackedBlock<unknown>, other: TrackedBlock<unknown>): boolean {
  return block.lastUse === other.lastUse ? block.depth > other.depth : block.lastUse < other.lastUse
}
