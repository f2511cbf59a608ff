import { ageBuckets, bucketStarts } from './age.ts'
import type { ReuseCensus } from './reuse-census.ts'
import { reuseClasses, reusePool, reusePools } from './reuse-class.ts'

/** A class with fewer blocks than this at an age is judged by its pool more than by itself. */
const poolEvidence = 100

/**
 * What a place in the cache earns when a block of that class and age has it: hits per request of waiting, over
 * the time to wait for which that is best (a Gittins index). Index: class * `ageBuckets` + bucket.
 */
export function reuseWorth(census: ReuseCensus): Float64Array {
  const pools = poolHazards(census)
  const worth = new Float64Array(reuseClasses * ageBuckets)
  for (let reuseClass = 0; reuseClass < reuseClasses; reuseClass++) {
    const first = reuseClass * ageBuckets
    const pool = reusePool(reuseClass) * ageBuckets
    const survival = survivalOf(census, first, pools.subarray(pool, pool + ageBuckets))
    for (let bucket = 0; bucket < ageBuckets; bucket++) worth[first + bucket] = bestRate(survival, bucket)
  }
  return worth
}

/** Before anything is known: the longer unused, the less worth, whatever the class. */
export function unknownWorth(): Float64Array {
  const worth = new Float64Array(reuseClasses * ageBuckets)
  for (let cell = 0; cell < worth.length; cell++) worth[cell] = 1 / (1 + (bucketStarts[cell % ageBuckets] ?? 0))
  return worth
}

/** For each pool and bucket, the part of the blocks reaching that age that is used again at it. */
function poolHazards({ hits, lost, waiting }: ReuseCensus): Float64Array {
  const used = new Float64Array(reusePools * ageBuckets)
  const all = new Float64Array(reusePools * ageBuckets)
  for (let reuseClass = 0; reuseClass < reuseClasses; reuseClass++) {
    const first = reuseClass * ageBuckets
    const pool = reusePool(reuseClass) * ageBuckets
    for (let bucket = 0; bucket < ageBuckets; bucket++) {
      const hit = hits[first + bucket] ?? 0
      used[pool + bucket] = (used[pool + bucket] ?? 0) + hit
      all[pool + bucket] =
        (all[pool + bucket] ?? 0) + hit + (lost[first + bucket] ?? 0) + (waiting[first + bucket] ?? 0)
    }
  }
  for (let pool = 0; pool < reusePools; pool++) {
    let reached = 0
    for (let cell = (pool + 1) * ageBuckets - 1; cell >= pool * ageBuckets; cell--) {
      reached += all[cell] ?? 0
      used[cell] = (used[cell] ?? 0) / (reached + 1)
    }
  }
  return used
}

/**
 * The part of a class that still waits at the start of each bucket (Kaplan-Meier: what was lost from sight
 * counts up to the age at which it was lost).
 */
function survivalOf({ hits, lost, waiting }: ReuseCensus, first: number, pool: Float64Array): Float64Array {
  const survival = new Float64Array(ageBuckets + 1)
  let reached = 0
  for (let bucket = ageBuckets - 1; bucket >= 0; bucket--) {
    const cell = first + bucket
    const hit = hits[cell] ?? 0
    reached += hit + (lost[cell] ?? 0) + (waiting[cell] ?? 0)
    survival[bucket + 1] = 1 - (hit + poolEvidence * (pool[bucket] ?? 0)) / (reached + poolEvidence + 1)
  }
  survival[0] = 1
  for (let bucket = 0; bucket < ageBuckets; bucket++) {
    survival[bucket + 1] = (survival[bucket] ?? 0) * (survival[bucket + 1] ?? 0)
  }
  return survival
}

/** Most hits per request of waiting, from the start of a bucket to the end of any later one. */
function bestRate(survival: Float64Array, from: number): number {
  const start = survival[from] ?? 0
  let best = 0
  let waited = 0
  for (let bucket = from; bucket < ageBuckets; bucket++) {
    const after = survival[bucket + 1] ?? 0
    waited += (((survival[bucket] ?? 0) + after) / 2) * ((bucketStarts[bucket + 1] ?? 0) - (bucketStarts[bucket] ?? 0))
    if (waited > 0) best = Math.max(best, (start - after) / waited)
  }
  return best
}
