import type { ChainedRequest } from '@incipit/core'
import { CacheSimulation, LearningPolicy, LruPolicy, recomputeWeight, rememberedFor } from '@incipit/core'

/** What a policy served: tokens, and the work of computing them. */
interface Served {
  readonly hits: number
  readonly work: number
}

/** One trace in a cache of one size: what weights by the cost of computing again change. */
export interface WeightResult {
  readonly trace: string
  readonly capacityBlocks: number
  readonly lru: Served
  readonly even: Served
  readonly weighed: Served
}

/**
 * Replays a trace with all weights 1, and with weights by depth. Attention costs as much as all else at position
 * `evenAt`.
 */
export function measureWeights(
  trace: string,
  requests: readonly ChainedRequest[],
  cache: { readonly capacityBlocks: number; readonly block: number; readonly evenAt: number },
): WeightResult {
  const { capacityBlocks, block, evenAt } = cache
  const learning = (): LearningPolicy<number> => new LearningPolicy({ remembered: rememberedFor(capacityBlocks) })
  const weightAt = (position: number): number => recomputeWeight(position, evenAt)
  const served = (options: Pick<ConstructorParameters<typeof CacheSimulation>[0], 'policy' | 'weightAt'>): Served => {
    const simulation = new CacheSimulation({ capacityBlocks, block, ...options })
    let saved = 0
    let all = 0
    for (const request of requests) {
      saved += workOf(simulation.request(request), evenAt)
      all += workOf(request.inputTokens, evenAt)
    }
    return { hits: simulation.totals.hitRatio ?? NaN, work: saved / all }
  }
  return {
    trace,
    capacityBlocks,
    lru: served({ policy: new LruPolicy() }),
    even: served({ policy: learning() }),
    weighed: served({ policy: learning(), weightAt }),
  }
}

/** Work of the first `tokens` tokens of a prompt, in tokens at position 0. */
function workOf(tokens: number, evenAt: number): number {
  return tokens + tokens ** 2 / (2 * evenAt)
}
