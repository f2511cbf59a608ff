import type { PartialBlock } from './child-index.ts'
import { ChildIndex, rootOf } from './child-index.ts'

/** A block to keep: its key, its parent's, and where it belongs. */
export interface NewBlock {
  readonly key: string
  /** `undefined` for the first block of a prefix. */
  readonly parentKey: string | undefined
  readonly scope: string
  /** Compared on every hit: a colliding key must not serve another prompt's state. */
  readonly tokens: Int32Array
  readonly bytes: number
}

/** A block as others may look at it. */
export interface BlockView {
  readonly key: string
  /** `undefined` for the first block of a prefix. */
  readonly parentKey: string | undefined
  readonly scope: string
  /** Requests that reused its state. */
  readonly hits: number
  /** Milliseconds since 1970; `undefined` where nobody knows any more. */
  readonly storedAt: number | undefined
  readonly usedAt: number
}

/** What of a pool is to stay as long as there is anything else to drop. */
export interface BlockKeeper {
  keeps(key: string): boolean
  /** At most so many blocks are to be kept from now on. */
  limit(blocks: number): void
}

interface Block extends BlockView {
  readonly key: string
  /** Key of its parent, or what stands for none. */
  readonly parent: string
  readonly scope: string
  readonly tokens: Int32Array
  readonly slab: Uint8Array
  hits: number
  usedAt: number
  colder: Block | undefined
  warmer: Block | undefined
}

/**
 * KV blocks in RAM under a byte budget. Buffers are made once and reused: a fresh large buffer costs
 * more than the copy into it. Ancestors are always warmer than their descendants, so that the coldest
 * block never has a child: a child is useless without its parent.
 */
export class BlockPool {
  readonly capacityBytes: number
  readonly #keeper: BlockKeeper | undefined
  readonly #blocks = new Map<string, Block>()
  readonly #children = new ChildIndex()
  readonly #spare: Uint8Array[] = []
  readonly #now: () => number
  #slabBytes = 0
  #slabs = 0
  #warmest: Block | undefined
  #coldest: Block | undefined
  #evicted = 0

  /**
   * @param keeper keeps with a block all of its ancestors
   * @param now the wall clock, in milliseconds since 1970
   */
  constructor(capacityBytes: number, keeper?: BlockKeeper, now: () => number = Date.now) {
    this.capacityBytes = capacityBytes
    this.#keeper = keeper
    this.#now = now
  }

  get size(): number {
    return this.#blocks.size
  }

  /** Bytes of the buffers made so far, those waiting for reuse included. */
  get bytes(): number {
    return this.#slabs * this.#slabBytes
  }

  /** Blocks dropped for others since the start. */
  get evicted(): number {
    return this.#evicted
  }

  has(key: string): boolean {
    return this.#blocks.has(key)
  }

  /** The state of a block, or `undefined`; valid until the next `add`. Does not count as use. */
  find(key: string, tokens: Int32Array): Uint8Array | undefined {
    const block = this.#blocks.get(key)
    if (block === undefined || !sameTokens(block.tokens, tokens)) return undefined
    return block.slab
  }

  /** The block behind `parent` that goes on most like `rest`. */
  closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    return this.#children.closest(parent, rest)
  }

  /** Marks the first `count` blocks of a chain as just used. */
  touch(keys: readonly string[], count: number): void {
    const now = this.#now()
    for (let index = count - 1; index >= 0; index--) {
      const block = this.#blocks.get(keys[index] as string)
      if (block === undefined) continue
      block.usedAt = now
      this.#unlink(block)
      this.#linkBehind(block, undefined)
    }
  }

  /** A request goes on with the state of this block. */
  countHit(key: string): void {
    const block = this.#blocks.get(key)
    if (block !== undefined) block.hits++
  }

  /** All blocks, the warmest first, parents before children. */
  *warmestFirst(): Iterable<BlockView> {
    for (let block = this.#warmest; block !== undefined; block = block.colder) yield block
  }

  /**
   * Makes room for a block and returns the buffer to fill; `undefined` when the budget has no room for
   * it, when its parent is not here, or when it is here already. May drop the coldest block.
   */
  add(block: NewBlock): Uint8Array | undefined {
    if (this.#blocks.has(block.key)) return undefined
    const parent = block.parentKey === undefined ? undefined : this.#blocks.get(block.parentKey)
    if (block.parentKey !== undefined && parent === undefined) return undefined
    const slab = this.#takeSlab(block.bytes, parent)
    if (slab === undefined) return undefined
    const now = this.#now()
    const added: Block = {
      key: block.key,
      parentKey: block.parentKey,
      parent: block.parentKey ?? rootOf(block.scope),
      scope: block.scope,
      tokens: block.tokens,
      slab,
      hits: 0,
      storedAt: now,
      // It is copied behind the request that used its parent last.
      usedAt: parent?.usedAt ?? now,
      colder: undefined,
      warmer: undefined,
    }
    this.#blocks.set(block.key, added)
    this.#children.add(added.parent, added)
    this.#linkBehind(added, parent)
    return slab
  }

  /** Drops the blocks of every scope that begins with `scopePrefix`. */
  reset(scopePrefix: string): { readonly blocks: number; readonly bytes: number } {
    let blocks = 0
    for (const block of this.#blocks.values()) {
      if (!block.scope.startsWith(scopePrefix)) continue
      this.#drop(block)
      blocks++
    }
    return { blocks, bytes: blocks * this.#slabBytes }
  }

  #takeSlab(bytes: number, parent: Block | undefined): Uint8Array | undefined {
    // All blocks of one context have one size; a block of another size belongs elsewhere.
    if (this.#slabBytes === 0) this.#slabBytes = bytes
    if (bytes !== this.#slabBytes) return undefined
    const spare = this.#spare.pop()
    if (spare !== undefined) return spare
    if ((this.#slabs + 1) * bytes <= this.capacityBytes) {
      this.#slabs++
      return new Uint8Array(bytes)
    }
    const coldest = this.#victim(parent)
    if (coldest === undefined || coldest === parent) return undefined
    this.#drop(coldest)
    this.#evicted++
    return this.#spare.pop()
  }

  /** The coldest block that is not kept: descendants of such a one are not kept either, and colder. */
  #victim(parent: Block | undefined): Block | undefined {
    const keeper = this.#keeper
    if (keeper === undefined) return this.#coldest
    keeper.limit(Math.floor(this.#slabs / 2))
    for (let block = this.#coldest; block !== undefined && block !== parent; block = block.warmer) {
      if (!keeper.keeps(block.key)) return block
    }
    // Memory pressure wins over every wish (P-7).
    return this.#coldest
  }

  #drop(block: Block): void {
    this.#blocks.delete(block.key)
    this.#children.delete(block.parent, block.key)
    this.#unlink(block)
    this.#spare.push(block.slab)
  }

  #unlink(block: Block): void {
    if (block.warmer === undefined) this.#warmest = block.colder
    else block.warmer.colder = block.colder
    if (block.colder === undefined) this.#coldest = block.warmer
    else block.colder.warmer = block.warmer
    block.warmer = undefined
    block.colder = undefined
  }

  /** Puts a block one place colder than `warmer`, or at the warm end. */
  #linkBehind(block: Block, warmer: Block | undefined): void {
    const colder = warmer === undefined ? this.#warmest : warmer.colder
    block.warmer = warmer
    block.colder = colder
    if (warmer === undefined) this.#warmest = block
    else warmer.colder = block
    if (colder === undefined) this.#coldest = block
    else colder.warmer = block
  }
}

function sameTokens(left: Int32Array, right: Int32Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}
