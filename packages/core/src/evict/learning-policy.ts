import { LeafGrid, weightBand } from './leaf-grid.ts'
import type { EvictionPolicy, ChainUse } from './policy.ts'
import { ReuseCensus } from './reuse-census.ts'
import { reuseClass, reuseClasses } from './reuse-class.ts'
import { reuseWorth, unknownWorth } from './reuse-worth.ts'
import type { TrackedBlock } from './tracked-block.ts'
import { trackBlock } from './tracked-block.ts'
import { TrackedBlocks } from './tracked-blocks.ts'

/** Requests between two looks at what was learnt. */
const learningInterval = 50
/** What a look leaves of the evidence: half after some 1,100 requests. */
const fading = 0.97

/** Measured, with keys of 64 characters; see docs/eviction.md. */
const bytesPerBlock = 310
const bytesOfCurves = 2_800_000

export interface LearningPolicyOptions {
  /** Blocks remembered beyond those held: see `rememberedFor`. */
  readonly remembered: number
}

/** A block that was held before, in the time of another process. */
export interface RecalledBlock<Key> {
  readonly key: Key
  readonly parent: Key | undefined
  readonly weight?: number
  /** Blocks of one request have the same number, those of later ones a higher one, from 1 on without gaps. */
  readonly use: number
}

/**
 * Learns how soon blocks are used again and drops the one whose place earns least: see docs/eviction.md.
 * Until it has learnt, the least recently used goes. Ages are counted in requests, so that an idle night makes
 * nothing old and equal requests give equal decisions.
 *
 * @example const policy = new LearningPolicy<string>({ remembered: 8 * capacity })
 */
export class LearningPolicy<Key> implements EvictionPolicy<Key> {
  #remembered: number
  readonly #blocks = new TrackedBlocks<Key>()
  readonly #census = new ReuseCensus(reuseClasses)
  readonly #leaves = new LeafGrid<Key>(unknownWorth())
  #now = 0

  /** @throws RangeError when `remembered` is not an integer of at least 0 */
  constructor(options: LearningPolicyOptions) {
    this.#remembered = wholeNumber(options.remembered)
  }

  /** Blocks remembered from now on beyond those held. @throws RangeError when it is not an integer of at least 0 */
  set remembered(count: number) {
    this.#remembered = wholeNumber(count)
  }

  /** Blocks it knows of, held or remembered. */
  get tracked(): number {
    return this.#blocks.size
  }

  /** Bytes that its memory takes, some percent more or less. */
  get bytes(): number {
    return bytesOfCurves + bytesPerBlock * this.#blocks.size
  }

  /**
   * Takes in what was held before a restart, parents before their children and never used before them. Nothing else is
   * known yet. Side effect: time goes on to the latest of their uses.
   */
  recall(blocks: readonly RecalledBlock<Key>[]): void {
    let latest = 0
    for (const { use } of blocks) latest = Math.max(latest, use)
    for (; this.#now < latest; this.#now++) this.#census.advance()
    this.#leaves.advance(this.#now)
    // That some prompt had them is all that is known.
    for (const { key, parent, weight, use } of blocks) this.#hold(key, { parent, weight, lastUse: use }).asked = true
  }

  use(use: ChainUse<Key>): void {
    this.#loseOldest()
    this.#now++
    this.#census.advance()
    this.#leaves.advance(this.#now)
    const brought = this.#newTokens(use)
    let above: TrackedBlock<Key> | undefined
    for (const [depth, key] of use.blocks.entries()) {
      const block = this.#touch(key, depth, above)
      block.brought = brought
      block.open = use.open && depth === use.blocks.length - 1
      block.turnOver = use.turnOver === true
      this.#classify(block)
      above = block
    }
    if (this.#now % learningInterval === 0) this.#learn()
  }

  admit(key: Key, parent: Key | undefined, weight = 1): void {
    this.#hold(key, { parent, weight, lastUse: this.#now })
  }

  /**
   * Whether a block that is not held would stay if it were admitted without room for it: another one would be the
   * victim. Changes nothing.
   */
  wouldKeep(key: Key, parentKey: Key | undefined, weight = 1): boolean {
    const parent = parentKey === undefined ? undefined : this.#blocks.find(parentKey)
    const known = this.#blocks.find(key)
    const block = known ?? this.#descendant(trackBlock(key, this.#now, depthBelow(parent)), parent)
    return !this.#leaves.wouldBeFirst({ ...block, band: weightBand(weight), reuseClass: reuseClass(block) })
  }

  victim(): Key | undefined {
    return this.#leaves.first()?.key
  }

  remove(key: Key): void {
    const block = this.#blocks.held(key)
    if (block.children > 0) throw new RangeError(`the block has ${block.children} held children`)
    if (block.pins > 0) throw new RangeError(`the block is pinned ${block.pins} times`)
    this.#detach(block)
    this.#blocks.remember(block)
  }

  forget(key: Key): void {
    const block = this.#blocks.find(key)
    if (block === undefined) return
    if (block.held) this.#detach(block)
    this.#census.withdraw(block.reuseClass, block.lastUse)
    this.#blocks.delete(block)
  }

  split(key: Key, upperKey: Key): void {
    const lower = this.#blocks.held(key)
    if (this.#blocks.find(upperKey) !== undefined) throw new RangeError('the upper part is known already')
    const upper = this.#blocks.add(upperKey, lower.lastUse, lower.depth)
    const { parent, band, asked, bornAt, reuses, gap, generation, brought, turnOver } = lower
    Object.assign(upper, { parent, band, asked, bornAt, reuses, gap, generation, brought, turnOver, children: 1 })
    this.#blocks.hold(upper)
    lower.parent = upper
    upper.reuseClass = reuseClass(upper)
    this.#census.enter(upper.reuseClass, upper.lastUse)
  }

  pin(key: Key): void {
    const block = this.#blocks.held(key)
    block.pins++
    this.#leaves.remove(block)
  }

  unpin(key: Key): void {
    const block = this.#blocks.held(key)
    if (block.pins === 0) throw new RangeError('the block is not pinned')
    block.pins--
    this.#offer(block)
  }

  /** Notes that a block was used in the present request; it waits again when it is classified. */
  #touch(key: Key, depth: number, above: TrackedBlock<Key> | undefined): TrackedBlock<Key> {
    const known = this.#blocks.find(key)
    if (known === undefined) return this.#born(this.#blocks.add(key, this.#now, depth), above)
    this.#census.hit(known.reuseClass, known.lastUse)
    known.gap = this.#now - known.lastUse
    known.lastUse = this.#now
    if (!known.held) this.#blocks.remember(known)
    if (!known.asked) return this.#born(known, above)
    known.reuses++
    return known
  }

  /** The present request is the first with this block in its prompt. */
  #born(block: TrackedBlock<Key>, above: TrackedBlock<Key> | undefined): TrackedBlock<Key> {
    block.asked = true
    block.bornAt = this.#now
    block.generation = above === undefined ? 0 : above.generation + Number(above.bornAt !== this.#now)
    return block
  }

  #hold(
    key: Key,
    held: { readonly parent: Key | undefined; readonly weight?: number | undefined; readonly lastUse: number },
  ): TrackedBlock<Key> {
    const parent = held.parent === undefined ? undefined : this.#blocks.held(held.parent)
    const band = weightBand(held.weight ?? 1)
    const block = this.#blocks.find(key) ?? this.#unused(key, parent, held.lastUse)
    if (block.held) throw new RangeError('the block is held already')
    this.#blocks.hold(block)
    block.parent = parent
    block.children = 0
    block.band = band
    if (parent !== undefined) {
      parent.children++
      this.#leaves.remove(parent)
    }
    this.#offer(block)
    return block
  }

  #unused(key: Key, parent: TrackedBlock<Key> | undefined, lastUse: number): TrackedBlock<Key> {
    const block = this.#descendant(this.#blocks.add(key, lastUse, depthBelow(parent)), parent)
    this.#classify(block)
    return block
  }

  /** A block that comes without having been asked for, as those of an answer do, shares its parent's prospects. */
  #descendant(block: TrackedBlock<Key>, parent: TrackedBlock<Key> | undefined): TrackedBlock<Key> {
    if (parent === undefined) return block
    const { generation, brought, turnOver } = parent
    return Object.assign(block, { generation, brought, turnOver })
  }

  #classify(block: TrackedBlock<Key>): void {
    this.#leaves.remove(block)
    block.reuseClass = reuseClass(block)
    this.#census.enter(block.reuseClass, block.lastUse)
    this.#offer(block)
  }

  /** A block may go when it is held, and nothing below it is, and nobody pins it. */
  #offer(block: TrackedBlock<Key>): void {
    if (block.held && block.children === 0 && block.pins === 0) this.#leaves.add(block)
  }

  #detach(block: TrackedBlock<Key>): void {
    this.#leaves.remove(block)
    const { parent } = block
    block.parent = undefined
    block.pins = 0
    if (parent === undefined) return
    parent.children--
    this.#offer(parent)
  }

  #newTokens({ blocks, end }: ChainUse<Key>): number {
    let known = 0
    while (known < blocks.length && this.#blocks.find(blocks[known] as Key)?.asked === true) known++
    return blocks.length === 0 ? 0 : end(blocks.length - 1) - (known === 0 ? 0 : end(known - 1))
  }

  #loseOldest(): void {
    while (this.#blocks.remembered > this.#remembered) {
      const block = this.#blocks.oldestRemembered
      if (block === undefined) return
      this.#census.lose(block.reuseClass, block.lastUse)
      this.#blocks.delete(block)
    }
  }

  #learn(): void {
    this.#leaves.rank(reuseWorth(this.#census))
    this.#census.fade(fading)
  }
}

function depthBelow(parent: TrackedBlock<unknown> | undefined): number {
  return parent === undefined ? 0 : parent.depth + 1
}

function wholeNumber(remembered: number): number {
  if (!Number.isSafeInteger(remembered) || remembered < 0) {
    throw new RangeError(`remembered must be an integer of at least 0, got ${remembered}`)
  }
  return remembered
}
