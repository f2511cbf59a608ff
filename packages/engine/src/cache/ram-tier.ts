import type { Context } from '../native/contract.ts'
import { blockKeys, blockTokens } from './block-key.ts'
import { BlockPool } from './block-pool.ts'
import { reservedSequences } from './cell-arena.ts'
import type { PrefixTree } from './prefix-tree.ts'
import { SaveQueue } from './save-queue.ts'

/** The blocks `[first, end)` of a prompt that RAM holds. */
export interface RamBlocks {
  readonly keys: readonly string[]
  readonly first: number
  readonly end: number
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
}

/** KV state of full blocks, copied out of the KV buffer and found again by their keys. */
export class RamTier {
  readonly pool: BlockPool
  readonly #context: Context
  readonly #modelHash: string
  readonly #saves = new SaveQueue()
  #blockBytes = 0

  constructor(options: RamTierOptions) {
    this.pool = new BlockPool(options.capacityBytes)
    this.#context = options.context
    this.#modelHash = options.modelHash
  }

  get enabled(): boolean {
    return this.pool.capacityBytes > 0
  }

  /** The blocks that continue a prompt of which `hot` tokens are known; marks them as used unless `peek`. */
  find(scope: string, tokens: Int32Array, options: { readonly hot: number; readonly peek: boolean }): RamBlocks {
    const first = Math.floor(options.hot / blockTokens)
    const count = Math.floor(tokens.length / blockTokens)
    if (this.pool.size === 0 || count <= first) return { keys: [], first, end: first }
    const keys = this.#keys(scope, tokens, count)
    let end = first
    while (end < count && this.pool.find(keys[end] as string, blockOf(tokens, end)) !== undefined) end++
    if (!options.peek) this.pool.touch(keys, end)
    return { keys, first, end }
  }

  /** The state of block `index`, unless it went to make room since it was found. */
  state(blocks: RamBlocks, tokens: Int32Array, index: number): Uint8Array | undefined {
    return this.pool.find(blocks.keys[index] as string, blockOf(tokens, index))
  }

  /** Saves what is missing of the first `count` tokens, from the first missing block on. */
  saveNow(held: HeldTokens, count: number): void {
    const blocks = Math.floor(count / blockTokens)
    if (!this.enabled || blocks === 0) return
    const keys = this.#keys(held.scope, held.tokens, blocks)
    for (let block = 0; block < blocks; block++) {
      if (!this.pool.has(keys[block] as string) && !this.#save(held, keys, block)) return
    }
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
    if (job.at >= job.blocks || !this.#saveQueued(job, keys, tree)) this.#saves.drop()
    return true
  }

  reset(scopePrefix: string): { readonly tokens: number; readonly bytes: number } {
    this.#saves.reset(scopePrefix)
    const dropped = this.pool.reset(scopePrefix)
    return { tokens: dropped.blocks * blockTokens, bytes: dropped.bytes }
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
    this.#context.copySequence(held.sequence, scratch, start, start + blockTokens)
    this.#blockBytes ||= this.#context.stateBytes(scratch)
    const slab = this.pool.add({
      key: keys[block] as string,
      parentKey: block === 0 ? undefined : keys[block - 1],
      scope: held.scope,
      tokens: blockOf(held.tokens, block).slice(),
      bytes: this.#blockBytes,
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
