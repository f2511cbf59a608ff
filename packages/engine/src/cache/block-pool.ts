import type { ChainUse } from '@incipit/core'
import type { BlockView, NewBlock, ShelfOptions } from './block-shelf.ts'
import { BlockShelf } from './block-shelf.ts'
import type { PartialBlock } from './child-index.ts'
import type { PinnedBlocks } from './pinned-blocks.ts'

/** A block to keep in RAM. */
export interface NewPoolBlock extends NewBlock {
  readonly bytes: number
  /** Another block goes for it even where that one is worth more: it is on its way to the disk. */
  readonly passing?: boolean | undefined
}

/**
 * KV blocks in RAM under a byte budget. Buffers are made once and reused: a fresh large buffer costs
 * more than the copy into it.
 */
export class BlockPool {
  readonly capacityBytes: number
  readonly #shelf: BlockShelf<Uint8Array>
  readonly #spare: Uint8Array[] = []
  #slabBytes = 0
  #slabs = 0

  constructor(capacityBytes: number, options: Partial<ShelfOptions> = {}) {
    this.capacityBytes = capacityBytes
    this.#shelf = new BlockShelf({ now: Date.now, ...options })
  }

  get size(): number {
    return this.#shelf.size
  }

  /** Bytes of the buffers made so far, those waiting for reuse included. */
  get bytes(): number {
    return this.#slabs * this.#slabBytes
  }

  /** Blocks dropped for others since the start. */
  get evicted(): number {
    return this.#shelf.evicted
  }

  /** Memory of what decides which block goes. */
  get policyBytes(): number {
    return this.#shelf.policyBytes
  }

  has(key: string): boolean {
    return this.#shelf.has(key)
  }

  /** The state of a block, or `undefined`; valid until the next `add`. Does not count as use. */
  find(key: string, tokens: Int32Array): Uint8Array | undefined {
    const block = this.#shelf.find(key)
    return block === undefined || !sameTokens(block.tokens, tokens) ? undefined : block.place
  }

  /** The block behind `parent` that goes on most like `rest`. */
  closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    return this.#shelf.closest(parent, rest)
  }

  /** A request has ended that used these blocks, as far as they are here. */
  use(use: ChainUse<string>): void {
    this.#shelf.use(use)
  }

  /** Keeps those of a chain that are here until the function it returns is called, which is soon. */
  hold(keys: readonly string[]): () => void {
    return this.#shelf.hold(keys)
  }

  /** Pins of one book. */
  pins(): PinnedBlocks {
    return this.#shelf.pins()
  }

  /** A request goes on with the state of this block. */
  countHit(key: string): void {
    const block = this.#shelf.find(key)
    if (block !== undefined) block.hits++
  }

  /** All blocks, those used last first, parents before children. */
  lastUsedFirst(): Iterable<BlockView> {
    return this.#shelf.lastUsedFirst()
  }

  /**
   * Makes room for a block and returns the buffer to fill; `undefined` when the budget has no room for
   * it, when it is not worth dropping another one, when its parent is not here, or when it is here already.
   */
  add(block: NewPoolBlock): Uint8Array | undefined {
    const { key, parentKey, bytes, passing } = block
    if (this.has(key) || (parentKey !== undefined && !this.has(parentKey)) || !this.#fits(bytes)) return undefined
    const full = this.#spare.length === 0 && (this.#slabs + 1) * bytes > this.capacityBytes
    const claim = this.#shelf.claim(block, { full, must: passing === true })
    if (claim === undefined) return undefined
    const slab = claim.place ?? this.#spare.pop() ?? this.#newSlab()
    this.#shelf.put(block, slab)
    return slab
  }

  /** Drops the blocks of every scope that begins with `scopePrefix`. */
  reset(scopePrefix: string): { readonly blocks: number; readonly bytes: number } {
    const dropped = this.#shelf.reset(scopePrefix)
    for (const { place } of dropped) this.#spare.push(place)
    return { blocks: dropped.length, bytes: dropped.length * this.#slabBytes }
  }

  /** All blocks of one context have one size; a block of another size belongs elsewhere. */
  #fits(bytes: number): boolean {
    if (this.#slabBytes === 0) {
      this.#slabBytes = bytes
      this.#shelf.fits(Math.floor(this.capacityBytes / bytes))
    }
    return bytes === this.#slabBytes && bytes <= this.capacityBytes
  }

  #newSlab(): Uint8Array {
    this.#slabs++
    return new Uint8Array(this.#slabBytes)
  }
}

function sameTokens(left: Int32Array, right: Int32Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}
