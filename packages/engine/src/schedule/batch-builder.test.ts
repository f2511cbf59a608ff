import { afterAll, beforeAll, expect, test } from 'vitest'
import { KvCache } from '../cache/kv-cache.ts'
import type { Lease } from '../cache/lease.ts'
import type { Context, Model } from '../native/contract.ts'
import { largestDifference, someTokens, temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { BatchBuilder } from './batch-builder.ts'

let model: Model
const open: Context[] = []
const contexts = new WeakMap<KvCache, Context>()

beforeAll(() => {
  model = tinyModel(temporaryDirectory())
})
afterAll(() => {
  for (const context of open) context.close()
  model.close()
})

async function aCache(): Promise<KvCache> {
  const threads = { decode: 1, prefill: 1 }
  const context = model.createContext({ cells: 4_096, batchTokens: 256, sequences: 8, threads, flashAttention: false })
  open.push(context)
  const cache = new KvCache({
    context,
    sequences: 8,
    modelHash: model.facts.fileHash,
    minCachedTokens: 1,
    ramBytes: 0,
    hotCells: Infinity,
    uncacheable: undefined,
  })
  contexts.set(cache, context)
  await cache.start()
  return cache
}

function acquire(cache: KvCache, tokens: Int32Array, reserveTokens: number): Lease {
  const lease = cache.acquire({ scope: 'a', tokens, reserveTokens, prefixCache: 'off' })
  if (lease === undefined) throw new Error('no room')
  return lease
}

/** Logits behind the last of some tokens that are evaluated up to one end after the other. */
async function logitsOf(cache: KvCache, lease: Lease, ends: readonly number[]): Promise<Float32Array> {
  const builder = new BatchBuilder(contexts.get(cache) as Context, cache.arena, { exact: true })
  let start = 0
  let logits = new Float32Array(0)
  for (const end of ends) {
    builder.clear()
    const { sequence, pages } = lease
    const entry = builder.add({ sequence, pages, tokens, start, end, wantsLogits: true })
    // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
    expect(await builder.decode()).toEqual({ kind: 'done' })
    logits = builder.logits(entry).slice()
    start = end
  }
  return logits
}

const tokens = someTokens(700, 1)

test('F-5 behind a lone token that enters a page far above all others, the pages in between are still placed', async () => {
  const cache = await aCache()
  const lease = acquire(cache, tokens.subarray(0, 64), 64)
  const between = acquire(cache, tokens.subarray(0, 1), 1_000)
  expect(cache.extend(lease, 100)).toBe(true)
  cache.release(between, tokens, 0, undefined)
  const above = await logitsOf(cache, lease, [64, 65, 100])
  const below = await logitsOf(cache, acquire(cache, tokens, 700), [250, 500, 700])
  const cold = await aCache()
  const expected = await logitsOf(cold, acquire(cold, tokens, 700), [100])
  expect(largestDifference(above, expected)).toBe(0)
  const fresh = await aCache()
  const whole = await logitsOf(fresh, acquire(fresh, tokens, 700), [250, 500, 700])
  expect(largestDifference(below, whole)).toBe(0)
})
