import type { EvictionPolicy } from '../evict/policy.ts'
import type { ChainedRequest } from './block-chains.ts'

/** What a replay needs of a policy. */
export type ReplayPolicy = Pick<EvictionPolicy<number>, 'use' | 'admit' | 'victim' | 'remove'>

/** What a cache would have served. */
export interface CacheTotals {
  readonly requests: number
  readonly inputTokens: number
  readonly hitTokens: number
  /** Per token, 0 to 1; `undefined` while there were no tokens. */
  readonly hitRatio: number | undefined
}

export interface CacheSimulationOptions {
  readonly policy: ReplayPolicy
  readonly capacityBlocks: number
  /** Tokens of a full block. */
  readonly block: number
  /** Weight of a block that begins at a position, as the policy takes it; 1 for all where it is left out. */
  readonly weightAt?: ((position: number) => number) | undefined
}

/**
 * A prefix cache of so many blocks under a policy, without the blocks. Requests come one after the other, each
 * complete before the next; what they hit is the longest prefix of blocks held when they come.
 *
 * @example
 * const cache = new CacheSimulation({ policy: new LruPolicy(), capacityBlocks: 1_000, block: 512 })
 * for (const request of requests) cache.request(request)
 * cache.totals.hitRatio
 */
export class CacheSimulation {
  readonly #policy: ReplayPolicy
  readonly #capacity: number
  readonly #block: number
  readonly #weightAt: (position: number) => number
  readonly #held = new Set<number>()
  #requests = 0
  #inputTokens = 0
  #hitTokens = 0

  /** @throws RangeError when capacity or block are not integers of at least 1 */
  constructor({ policy, capacityBlocks, block, weightAt }: CacheSimulationOptions) {
    for (const [name, value] of Object.entries({ capacityBlocks, block })) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new RangeError(`${name} must be a whole number of at least 1, got ${value}`)
    }
    this.#policy = policy
    this.#capacity = capacityBlocks
    this.#block = block
    this.#weightAt = weightAt ?? (() => 1)
  }

  /** Blocks held now; never more than the capacity. */
  get size(): number {
    return this.#held.size
  }

  get totals(): CacheTotals {
    return {
      requests: this.#requests,
      inputTokens: this.#inputTokens,
      hitTokens: this.#hitTokens,
      hitRatio: this.#inputTokens === 0 ? undefined : this.#hitTokens / this.#inputTokens,
    }
  }

  has(block: number): boolean {
    return this.#held.has(block)
  }

  /** Replays one request; returns the tokens it hit. */
  request({ chain, inputTokens, blockTokens, turnOver }: ChainedRequest): number {
    const matched = this.#match(chain)
    const hit = Math.min(matched * this.#block, inputTokens)
    this.#requests++
    this.#inputTokens += inputTokens
    this.#hitTokens += hit
    const end = (index: number): number => Math.min((index + 1) * this.#block, blockTokens)
    this.#policy.use({ blocks: Array.from(chain), end, open: chain.length * this.#block > blockTokens, turnOver })
    for (let index = matched; index < chain.length; index++) {
      // Without its parent a block is of no use, and neither are those behind it.
      if (!this.#keep(chain, index)) break
    }
    return hit
  }

  #match(chain: Int32Array): number {
    let matched = 0
    while (matched < chain.length && this.#held.has(chain[matched] as number)) matched++
    return matched
  }

  #keep(chain: Int32Array, index: number): boolean {
    const block = chain[index] as number
    this.#policy.admit(block, index === 0 ? undefined : chain[index - 1], this.#weightAt(index * this.#block))
    if (this.#held.size >= this.#capacity) {
      const victim = this.#policy.victim() ?? block
      this.#policy.remove(victim)
      if (victim === block) return false
      this.#held.delete(victim)
    }
    this.#held.add(block)
    return true
  }
}
