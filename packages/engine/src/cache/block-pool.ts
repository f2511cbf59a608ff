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

interface Block {
  readonly key: string
  readonly scope: string
  readonly tokens: Int32Array
  readonly slab: Uint8Array
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
  readonly #blocks = new Map<string, Block>()
  readonly #spare: Uint8Array[] = []
  #slabBytes = 0
  #slabs = 0
  #warmest: Block | undefined
  #coldest: Block | undefined
  #evicted = 0

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes
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

  /** Marks the first `count` blocks of a chain as just used. */
  touch(keys: readonly string[], count: number): void {
    for (let index = count - 1; index >= 0; index--) {
      const block = this.#blocks.get(keys[index] as string)
      if (block === undefined) continue
      this.#unlink(block)
      this.#linkBehind(block, undefined)
    }
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
    const added: Block = {
      key: block.key,
      scope: block.scope,
      tokens: block.tokens,
      slab,
      colder: undefined,
      warmer: undefined,
    }
    this.#blocks.set(block.key, added)
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
    const coldest = this.#coldest
    if (coldest === undefined || coldest === parent) return undefined
    this.#drop(coldest)
    this.#evicted++
    return this.#spare.pop()
  }

  #drop(block: Block): void {
    this.#blocks.delete(block.key)
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
