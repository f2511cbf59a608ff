import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Context, Model } from '../native/contract.ts'
import { BatchBuilder } from '../schedule/batch-builder.ts'
import { largestDifference, requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { createRandom } from '../sample/random.ts'
import { KvCache } from './kv-cache.ts'
import type { Lease } from './lease.ts'

let model: Model
const directory = temporaryDirectory()

beforeAll(() => {
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterAll(() => model.close())

interface Bench {
  readonly cache: KvCache
  readonly context: Context
  readonly builder: BatchBuilder
}

async function aBench(
  options: { cells?: number; ramBytes?: number; hotCells?: number; minCachedTokens?: number } = {},
): Promise<Bench> {
  const sequences = 12
  const context = model.createContext({
    cells: options.cells ?? 4_096,
    batchTokens: 256,
    sequences,
    threads: { decode: 1, prefill: 1 },
    flashAttention: false,
  })
  const cache = new KvCache({
    context,
    sequences,
    modelHash: model.facts.fileHash,
    minCachedTokens: options.minCachedTokens ?? 1,
    ramBytes: options.ramBytes ?? 0,
    hotCells: options.hotCells ?? 100_000,
    uncacheable: undefined,
  })
  await cache.start()
  expect(cache.disabled).toBeUndefined()
  return { cache, context, builder: new BatchBuilder(context, cache.arena, { exact: true }) }
}

interface Flight {
  readonly lease: Lease
  readonly tokens: Int32Array
  at: number
}

function take(bench: Bench, scope: string, tokens: Int32Array, prefixCache: 'on' | 'off' = 'on'): Flight | undefined {
  const lease = bench.cache.acquire({ scope, tokens, reserveTokens: tokens.length, prefixCache })
  return lease === undefined ? undefined : { lease, tokens, at: lease.cached.hot + lease.cached.ram }
}

/** Evaluates `counts[i]` further tokens of each flight in one batch; logits of those that reached their end. */
async function advance(
  bench: Bench,
  flights: readonly Flight[],
  counts: readonly number[],
): Promise<(Float32Array | undefined)[]> {
  bench.builder.clear()
  const ends = flights.map((flight, index) => Math.min(flight.tokens.length, flight.at + (counts[index] ?? 0)))
  const entries = flights.map((flight, index) =>
    bench.builder.add({
      sequence: flight.lease.sequence,
      pages: flight.lease.pages,
      tokens: flight.tokens,
      start: flight.at,
      end: ends[index] ?? 0,
      wantsLogits: ends[index] === flight.tokens.length,
    }),
  )
  expect(await bench.builder.decode()).toEqual({ kind: 'done' })
  return flights.map((flight, index) => {
    flight.at = ends[index] ?? 0
    return flight.at === flight.tokens.length ? bench.builder.logits(entries[index] ?? 0).slice() : undefined
  })
}

async function evaluate(bench: Bench, scope: string, tokens: Int32Array, prefixCache: 'on' | 'off' = 'on') {
  const flight = take(bench, scope, tokens, prefixCache)
  if (flight === undefined) throw new Error('no room')
  let logits: Float32Array | undefined
  while (flight.at < tokens.length) [logits] = await advance(bench, [flight], [200])
  bench.cache.release(flight.lease, tokens, tokens.length)
  return { logits: logits as Float32Array, cached: flight.lease.cached }
}

function randomTokens(random: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 1_000))
}

test('CF-1 F-5 random prompts in mixed batches give the bits of a cold run, hot, from RAM and under pressure', async () => {
  const cold = await aBench()
  const random = createRandom(7)
  const openings = Array.from({ length: 6 }, (_, index) => randomTokens(random, 40 + index * 150))
  const known = new Map<string, Float32Array>()
  let reused = 0
  let fromRam = 0
  for (const options of [
    {},
    { cells: 2_560 },
    { cells: 2_560, ramBytes: 2 ** 21 },
    { ramBytes: 2 ** 23, hotCells: 300 },
  ]) {
    const bench = await aBench(options)
    const flights: Flight[] = []
    for (let step = 0; step < 220; step++) {
      if (flights.length < 5 && random() < 0.6) {
        const opening = openings[Math.floor(random() * openings.length)] ?? new Int32Array(1)
        const cut = 1 + Math.floor(random() * opening.length)
        const rest = randomTokens(random, 1 + Math.floor(random() * 90))
        const tokens = Int32Array.of(...opening.subarray(0, cut), ...rest)
        const flight = take(bench, `scope-${Math.floor(random() * 2)}`, tokens, random() < 0.1 ? 'off' : 'on')
        if (flight !== undefined) {
          flights.push(flight)
          reused += flight.lease.cached.hot
          fromRam += flight.lease.cached.ram
        }
      }
      if (flights.length === 0) continue
      const counts = flights.map(() => 1 + Math.floor(random() * 45))
      const results = await advance(bench, flights, counts)
      for (const [index, logits] of results.entries()) {
        const flight = flights[index]
        if (logits === undefined || flight === undefined) continue
        const key = flight.tokens.join(',')
        if (!known.has(key)) known.set(key, (await evaluate(cold, key, flight.tokens, 'off')).logits)
        expect(largestDifference(logits, known.get(key) as Float32Array)).toBe(0)
      }
      for (const flight of flights.slice()) {
        const ended = flight.at === flight.tokens.length
        if (!ended && random() < 0.97) continue
        bench.cache.release(flight.lease, flight.tokens, flight.at)
        flights.splice(flights.indexOf(flight), 1)
      }
      if (random() < 0.3) bench.cache.work()
      if (random() < 0.02) bench.cache.reset(`scope-${Math.floor(random() * 2)}`)
    }
    for (const flight of flights) bench.cache.release(flight.lease, flight.tokens, flight.at)
    bench.cache.reset('')
    expect(bench.cache.arena.freePages).toBe(bench.cache.arena.pages)
    expect(bench.cache.arena.top).toBe(16)
    bench.context.close()
  }
  cold.context.close()
  expect(reused).toBeGreaterThan(1_000)
  expect(fromRam).toBeGreaterThan(1_000)
})
