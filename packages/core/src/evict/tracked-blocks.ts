import type { TrackedBlock } from './tracked-block.ts'
import { trackBlock } from './tracked-block.ts'

/** Blocks by key: those held, and a bounded number of those that are not, forgotten in order of their last change. */
export class TrackedBlocks<Key> {
  readonly #blocks = new Map<Key, TrackedBlock<Key>>()
  // A list of its own: the first of a Set is slow to find once many before it were deleted.
  #oldest: TrackedBlock<Key> | undefined
  #newest: TrackedBlock<Key> | undefined
  #remembered = 0

  get size(): number {
    return this.#blocks.size
  }

  get remembered(): number {
    return this.#remembered
  }

  /** The block that has not been held or used for longest. */
  get oldestRemembered(): TrackedBlock<Key> | undefined {
    return this.#oldest
  }

  find(key: Key): TrackedBlock<Key> | undefined {
    return this.#blocks.get(key)
  }

  /** @throws RangeError when the block is not held */
  held(key: Key): TrackedBlock<Key> {
    const block = this.#blocks.get(key)
    if (block?.held !== true) throw new RangeError('the block is not held')
    return block
  }

  /** A block that is not held yet. */
  add(key: Key, now: number, depth: number): TrackedBlock<Key> {
    const block = trackBlock(key, now, depth)
    this.#blocks.set(key, block)
    this.#append(block)
    return block
  }

  hold(block: TrackedBlock<Key>): void {
    this.#unlink(block)
    block.held = true
  }

  /** Makes a block that is not held, or not any more, the last to be forgotten. */
  remember(block: TrackedBlock<Key>): void {
    if (!block.held) this.#unlink(block)
    block.held = false
    this.#append(block)
  }

  delete(block: TrackedBlock<Key>): void {
    if (!block.held) this.#unlink(block)
    block.held = false
    this.#blocks.delete(block.key)
  }

  #append(block: TrackedBlock<Key>): void {
    block.older = this.#newest
    if (this.#newest === undefined) this.#oldest = block
    else this.#newest.newer = block
    this.#newest = block
    this.#remembered++
  }

  #unlink(block: TrackedBlock<Key>): void {
    if (block.older === undefined) this.#oldest = block.newer
    else block.older.newer = block.newer
    if (block.newer === undefined) this.#newest = block.older
    else block.newer.older = block.older
    block.older = undefined
    block.newer = undefined
    this.#remembered--
  }
}
