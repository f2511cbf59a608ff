import type { Context } from '../native/contract.ts'
import { blockKeys, blockTokens } from './block-key.ts'
import { BlockPool } from './block-pool.ts'
import type { ChildBlock, PartialBlock } from './child-index.ts'
import { rootOf } from './child-index.ts'
import type { DiskTier } from './disk/disk-tier.ts'
import { reservedSequences } from './cell-arena.ts'
import type { PrefixTree } from './prefix-tree.ts'
import type { PinnedBlocks } from './pinned-blocks.ts'
import { SaveQueue } from './save-queue.ts'

/** The blocks `[first, end)` of a prompt that RAM or the disk holds. */
export interface RamBlocks {
  readonly blocks: readonly ChildBlock[]
  readonly first: number
  readonly end: number
  /** Tokens reused in all: up to `end`, without those of the last block that the prompt does not share. */
  readonly tokens: number
}

/** A request that has ended, as the tiers learn from it. */
export interface EndedPrompt {
  readonly scope: string
  readonly prompt: Int32Array
  /** A person goes on; a program does where it is false; `undefined` = not known. */
  readonly turnOver: boolean | undefined
}

/** Tokens whose state a sequence holds. */
export interface HeldTokens {
  readonly scope: string
  readonly tokens: Int32Array
  readonly sequence: number
}

export interface RamTierOptions {
  readonly context: Context
  readonly modelHash: string
  readonly capacityBytes: number
  /** Blocks that have left RAM, or outlived the process; `undefined` = none are kept. */
  readonly disk: DiskTier | undefined
  /** What the block of this number costs to compute, as the policy takes it; 1 where it is left out. */
  readonly weightOf?: ((depth: number) => number) | undefined
}

/** The state of a block, and where it came from. */
export interface BlockState {
  readonly state: Uint8Array
  readonly tier: 'ram' | 'disk'
}

/** KV state of full blocks, copied out of the KV buffer and found again by their keys. */
export class RamTier {
  readonly pool: BlockPool
  readonly #context: Context
  readonly #modelHash: string
  readonly disk: DiskTier | undefined
  readonly #saves = new SaveQueue()
  #reading = new Uint8Array(0)
  #blockBytes = 0

  constructor(options: RamTierOptions) {
    this.pool = new BlockPool(options.capacityBytes, { weightOf: options.weightOf })
    this.#context = options.context
    this.#modelHash = options.modelHash
    this.disk = options.disk
  }

  get enabled(): boolean {
    return this.pool.capacityBytes > 0
  }

  /** The blocks that continue a prompt of which `hot` tokens are known. Does not count as use. */
  find(scope: string, tokens: Int32Array, hot: number): RamBlocks {
    const first = Math.floor(hot / blockTokens)
    const nothing: RamBlocks = { blocks: [], first, end: first, tokens: first * blockTokens }
    if (this.pool.size === 0 && (this.disk?.blocks ?? 0) === 0) return nothing
    const keys = this.#keys(scope, tokens, Math.floor(tokens.length / blockTokens))
    const blocks = keys.slice(0, first).map((key, block) => ({ key, tokens: blockOf(tokens, block) }))
    for (let block = first; block < keys.length; block++) {
      const next = { key: keys[block] as string, tokens: blockOf(tokens, block) }
      if (!this.#holds(next)) break
      blocks.push(next)
    }
    const whole = blocks.length
    const partial = this.#closest(blocks.at(-1)?.key ?? rootOf(scope), tokens.subarray(whole * blockTokens))
    if (partial !== undefined) blocks.push(partial.block)
    return { blocks, first, end: blocks.length, tokens: whole * blockTokens + (partial?.count ?? 0) }
  }

  /**
   * The state of block `index`, unless it went since it was found, or is damaged; valid until the next call. What
   * comes from the disk is copied to RAM behind the request, as all that it held: fresh buffers would cost it more
   * than the reading.
   */
  state({ blocks }: RamBlocks, index: number): BlockState | undefined {
    const { key, tokens } = blocks[index] as ChildBlock
    const state = this.pool.find(key, tokens)
    if (state !== undefined) {
      this.pool.countHit(key)
      return { state, tier: 'ram' }
    }
    if (this.disk?.has(key) !== true) return undefined
    const bytes = this.#bytesOfBlock()
    if (this.#reading.length !== bytes) this.#reading = new Uint8Array(bytes)
    return this.disk.read(key, this.#reading) ? { state: this.#reading, tier: 'disk' } : undefined
  }

  /** Pins of one book, in every tier. */
  pins(): readonly PinnedBlocks[] {
    if (!this.enabled) return []
    return this.disk === undefined ? [this.pool.pins()] : [this.pool.pins(), this.disk.pins()]
  }

  /** Memory of what decides which block goes. */
  get policyBytes(): number {
    return this.pool.policyBytes + (this.disk?.policyBytes ?? 0)
  }

  /** Keeps what was found until the function it returns is called: before anything else begins. */
  hold(found: RamBlocks | undefined): () => void {
    if (found === undefined) return () => {}
    const keys = found.blocks.map(({ key }) => key)
    const holds = [this.pool.hold(keys), this.disk?.hold(keys)]
    return () => {
      for (const letGo of holds) letGo?.()
    }
  }

  /** A request has ended: what its prompt used, or would have used, is learnt from. */
  use({ scope, prompt, turnOver }: EndedPrompt): void {
    if (!this.enabled) return
    const blocks = this.#keys(scope, prompt, Math.floor(prompt.length / blockTokens))
    const use = { blocks, end: (index: number) => (index + 1) * blockTokens, open: false, turnOver }
    this.pool.use(use)
    this.disk?.use(use)
  }

  /** Saves what is missing of the first `count` tokens, from the first missing block on. */
  saveNow(held: HeldTokens, count: number): void {
    const blocks = Math.floor(count / blockTokens)
    if (!this.enabled || blocks === 0) return
    const keys = this.#keys(held.scope, held.tokens, blocks)
    for (let block = 0; block < blocks; block++) {
      if (!this.pool.has(keys[block] as string) && !this.#save(held, keys, block)) break
    }
    this.#writeLater(held, keys)
  }

  /** Queues the full blocks among the first `count` tokens: `work` saves them one by one. */
  saveLater(scope: string, tokens: Int32Array, count: number): void {
    const blocks = Math.floor(count / blockTokens)
    if (!this.enabled || blocks === 0) return
    this.#saves.add({ scope, tokens: tokens.slice(0, blocks * blockTokens), blocks })
  }

  /** Saves one queued block. False when there is none. */
  work(tree: PrefixTree): boolean {
    const job = this.#saves.next()
    if (job === undefined) return false
    const keys = (job.keys ??= this.#keys(job.scope, job.tokens, job.blocks))
    while (job.at < job.blocks && this.pool.has(keys[job.at] as string)) job.at++
    if (job.at >= job.blocks || !this.#saveQueued(job, keys, tree)) {
      this.#saves.drop()
      this.#writeLater(job, keys)
    }
    return true
  }

  reset(scopePrefix: string): { readonly tokens: number; readonly diskTokens: number; readonly bytes: number } {
    this.#saves.reset(scopePrefix)
    const dropped = this.pool.reset(scopePrefix)
    const onDisk = this.disk?.reset(scopePrefix) ?? { blocks: 0, bytes: 0 }
    return {
      tokens: dropped.blocks * blockTokens,
      diskTokens: onDisk.blocks * blockTokens,
      bytes: dropped.bytes + onDisk.bytes,
    }
  }

  #holds({ key, tokens }: ChildBlock): boolean {
    return this.pool.find(key, tokens) !== undefined || this.disk?.has(key) === true
  }

  /** The block that goes on most like a prompt, from either tier; from RAM where both go on alike. */
  #closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    const inRam = this.pool.closest(parent, rest)
    const onDisk = this.disk?.closest(parent, rest)
    return (onDisk?.count ?? 0) > (inRam?.count ?? 0) ? onDisk : inRam
  }

  #bytesOfBlock(): number {
    return (this.#blockBytes ||= this.disk?.slotBytes ?? 0)
  }

  #writeLater(
    { scope, tokens }: { readonly scope: string; readonly tokens: Int32Array },
    keys: readonly string[],
  ): void {
    this.disk?.writeLater({
      scope,
      tokens,
      keys,
      stateOf: (block) => this.pool.find(keys[block] as string, blockOf(tokens, block)),
    })
  }

  #saveQueued(
    job: { readonly scope: string; readonly tokens: Int32Array; readonly at: number },
    keys: readonly string[],
    tree: PrefixTree,
  ): boolean {
    const end = (job.at + 1) * blockTokens
    const match = tree.match(job.scope, job.tokens, { limit: end, peek: true })
    // Evicted in the meantime: what was worth keeping was saved then.
    if (match?.length !== end) return false
    return this.#save({ ...job, sequence: match.leaf.sequence }, keys, job.at)
  }

  #save(held: HeldTokens, keys: readonly string[], block: number): boolean {
    const { scratch } = reservedSequences
    const start = block * blockTokens
    const key = keys[block] as string
    const parentKey = block === 0 ? undefined : keys[block - 1]
    this.#context.copySequence(held.sequence, scratch, start, start + blockTokens)
    this.#blockBytes ||= this.#context.stateBytes(scratch)
    // The state is copied only where it is to stay.
    const slab = this.pool.add({
      key,
      parentKey,
      scope: held.scope,
      tokens: blockOf(held.tokens, block).slice(),
      bytes: this.#blockBytes,
      // What RAM would not keep, the disk may: its budget is larger, and all it gets comes from here.
      passing: this.disk?.wants(key, parentKey, block),
    })
    if (slab !== undefined) this.#context.readState(scratch, slab)
    this.#context.removeSequence(scratch, 0, -1)
    return slab !== undefined
  }

  #keys(scope: string, tokens: Int32Array, count: number): readonly string[] {
    const identity = { modelHash: this.#modelHash, stateFormat: this.#context.stateFormat, scope }
    return blockKeys(identity, tokens, count)
  }
}

function blockOf(tokens: Int32Array, block: number): Int32Array {
  return tokens.subarray(block * blockTokens, (block + 1) * blockTokens)
}
