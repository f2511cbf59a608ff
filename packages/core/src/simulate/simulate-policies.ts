import { LearningPolicy } from '../evict/learning-policy.ts'
import { LruPolicy } from '../evict/lru-policy.ts'
import { rememberedFor } from '../evict/remembered.ts'
import type { ChainedRequest } from './block-chains.ts'
import { MinPolicy } from './min-policy.ts'
import type { CacheTotals, ReplayPolicy } from './simulate-cache.ts'
import { CacheSimulation } from './simulate-cache.ts'

/** What can be simulated: the measure, our own, and the bound for any. */
export const cachePolicyNames: readonly ['lru', 'incipit', 'min'] = ['lru', 'incipit', 'min'] as const
export type CachePolicyName = (typeof cachePolicyNames)[number]

export interface CacheQuestion {
  readonly requests: readonly ChainedRequest[]
  readonly capacityBlocks: number
  /** Tokens of a full block. */
  readonly block: number
}

/**
 * Replays requests through a cache under one policy. `progress` is told now and then how many are done.
 * @example simulatePolicy('lru', { requests, capacityBlocks: 1_000, block: 512 }).hitRatio
 */
export function simulatePolicy(
  name: CachePolicyName,
  question: CacheQuestion,
  progress: (done: number) => void = () => {},
): CacheTotals {
  const simulation = new CacheSimulation({ ...question, policy: policyOf(name, question) })
  for (const [index, request] of question.requests.entries()) {
    simulation.request(request)
    if (index % 256 === 255) progress(index + 1)
  }
  return simulation.totals
}

/**
 * The part of what is possible beyond LRU that a policy reaches; `undefined` where nothing is.
 * @example shareOfGap({ lru: 0.2, policy: 0.3, min: 0.5 }) // 0.333...
 */
export function shareOfGap(ratios: Readonly<Record<'lru' | 'policy' | 'min', number | undefined>>): number | undefined {
  const { lru, policy, min } = ratios
  if (lru === undefined || policy === undefined || min === undefined || min <= lru) return undefined
  return (policy - lru) / (min - lru)
}

function policyOf(name: CachePolicyName, { requests, capacityBlocks }: CacheQuestion): ReplayPolicy {
  switch (name) {
    case 'lru':
      return new LruPolicy()
    case 'min':
      return new MinPolicy(requests)
    case 'incipit':
      return new LearningPolicy({ remembered: rememberedFor(capacityBlocks) })
    default:
      throw new RangeError(`no policy is called ${String(name satisfies never)}`)
  }
}
