import { pageCells } from '../cache/cell-arena.ts'
import type { KvCache } from '../cache/kv-cache.ts'
import { sharedLength } from '../cache/shared-length.ts'
import type { Generation } from './generation.ts'

/** Somebody who evaluates what another begins with, and the position up to which that is worth waiting for. */
export interface PrefixWait {
  readonly other: Generation
  readonly until: number
}

/**
 * Whether a generation that could start is to wait, since another one is about to make more of it reusable than is
 * now. What the other has evaluated of it by then becomes available, so that both go on from there at once.
 *
 * A wait ends with the part that is shared, or with the other one, however that ends: then this one is looked at anew.
 */
export function waitsForPrefix(generation: Generation, running: readonly Generation[], cache: KvCache): boolean {
  for (;;) {
    const wait = (generation.waitsFor ??= findWait(generation, running, cache))
    if (wait === undefined) return false
    if (isUnderWay(wait)) return true
    const { lease, tokens, evaluated } = wait.other
    if (lease !== undefined && !wait.other.ended) cache.publish(lease, tokens, evaluated)
    generation.waitsFor = undefined
    if (evaluated >= wait.until) return false
  }
}

/** @example isUnderWay({ other, until: 4_096 }) */
export function isUnderWay({ other, until }: PrefixWait): boolean {
  if (other.lease === undefined || other.lease.forgotten || other.ended) return false
  return other.prefilling && other.evaluated < until
}

function findWait(generation: Generation, running: readonly Generation[], cache: KvCache): PrefixWait | undefined {
  const { scope, prefixCache } = generation.request
  if (prefixCache === 'off' || cache.disabled !== undefined) return undefined
  const { prefill } = generation
  let best: PrefixWait | undefined
  for (const other of running) {
    const { lease } = other
    if (!other.prefilling || lease?.stores !== true || lease.forgotten || lease.scope !== scope) continue
    const shared = Math.min(sharedLength(prefill, other.prefill), prefill.length - 1)
    const until = cache.wholeStates ? other.lastStop(shared) : shared
    if (until > (best?.until ?? pageCells - 1)) best = { other, until }
  }
  return best !== undefined && best.until >= cache.find(scope, prefill) + pageCells ? best : undefined
}
