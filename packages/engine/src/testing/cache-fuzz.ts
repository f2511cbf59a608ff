import { expect } from 'vitest'
import { blockWeights } from '../cache/block-weight.ts'
import { DiskTier } from '../cache/disk/disk-tier.ts'
import { PinFile } from '../cache/disk/pin-file.ts'
import { KvCache } from '../cache/kv-cache.ts'
import type { Lease } from '../cache/lease.ts'
import type { PinnedPrefix } from '../cache/pin-book.ts'
import type { Context, Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { BatchBuilder } from '../schedule/batch-builder.ts'
import { largestDifference } from './native-fixture.ts'

interface Bench {
  readonly cache: KvCache
  readonly context: Context
  readonly builder: BatchBuilder
}

/** How a cache under test is bounded. */
export interface CacheBounds {
  readonly cells?: number
  readonly ramBytes?: number
  readonly hotCells?: number
  readonly minCachedTokens?: number
  readonly diskIn?: string
}

async function aBench(model: Model, options: CacheBounds = {}): Promise<Bench> {
  const sequences = 12
  const context = model.createContext({
    cells: options.cells ?? 4_096,
    batchTokens: 256,
    sequences,
    threads: { decode: 1, prefill: 1 },
    flashAttention: false,
  })
  const disk = options.diskIn === undefined ? undefined : await openDisk(model, options.diskIn, context.stateFormat)
  const cache = new KvCache({
    context,
    sequences,
    modelHash: model.facts.fileHash,
    minCachedTokens: options.minCachedTokens ?? 1,
    ramBytes: options.ramBytes ?? 0,
    disk,
    pinFile: disk && new PinFile(disk.directory, 'fuzz'),
    weightOf: blockWeights(model.facts),
    hotCells: options.hotCells ?? 100_000,
    uncacheable: undefined,
  })
  await cache.start()
  expect(cache.disabled).toBeUndefined()
  return { cache, context, builder: new BatchBuilder(context, cache.arena, { exact: true }) }
}

async function openDisk(model: Model, folder: string, stateFormat: string): Promise<DiskTier> {
  const { fileHash: modelHash } = model.facts
  const disk = await DiskTier.open({
    directory: folder,
    modelHash,
    stateFormat,
    capacityBytes: 2 ** 22,
    now: Date.now,
    weightOf: blockWeights(model.facts),
  })
  if (typeof disk === 'string') throw new Error(disk)
  return disk
}

/** Ends a bench as a process that ends does, and begins anew with what is on disk. */
async function restart(model: Model, bench: Bench, options: CacheBounds): Promise<Bench> {
  while (bench.cache.work());
  await bench.cache.ram.disk?.flush(10_000)
  await bench.cache.ram.disk?.close()
  bench.cache.pins.flush()
  bench.context.close()
  const before = bench.cache.pins.list().map(pinOf)
  const after = await aBench(model, options)
  // A tier that holds less than was pinned may give some of them up.
  const missing = after.cache.pins
    .list()
    .map(pinOf)
    .filter((pin) => !before.includes(pin))
  expect(missing).toEqual([])
  expect(after.cache.pins.size + after.cache.pins.dropped).toBe(before.length)
  return after
}

function pinOf({ scope, tokens, expiresAt, ttlMs }: PinnedPrefix): string {
  return `${scope} ${tokens.join()} ${expiresAt} ${ttlMs}`
}

interface Flight {
  readonly lease: Lease
  readonly tokens: Int32Array
  at: number
}

function take(bench: Bench, scope: string, tokens: Int32Array, prefixCache: 'on' | 'off' = 'on'): Flight | undefined {
  const lease = bench.cache.acquire({ scope, tokens, reserveTokens: tokens.length, prefixCache })
  return lease === undefined ? undefined : { lease, tokens, at: cachedOf(lease) }
}

function cachedOf({ cached }: Lease): number {
  return cached.hot + cached.ram + cached.disk
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
  bench.cache.release(flight.lease, tokens, tokens.length, undefined)
  return { logits: logits as Float32Array, cached: flight.lease.cached }
}

function randomTokens(random: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 400))
}

/** What a cache without bounds would know: the longest opening of a prompt that was evaluated in its scope. */
class NaiveCache {
  readonly #prompts = new Map<string, Int32Array[]>()

  longest(scope: string, tokens: Int32Array): number {
    let longest = 0
    for (const known of this.#prompts.get(scope) ?? []) {
      let length = 0
      while (length < Math.min(known.length, tokens.length - 1) && known[length] === tokens[length]) length++
      longest = Math.max(longest, length)
    }
    return longest
  }

  add(scope: string, tokens: Int32Array): void {
    this.#prompts.set(scope, [...(this.#prompts.get(scope) ?? []), tokens.slice()])
  }

  reset(scope: string): void {
    this.#prompts.delete(scope)
  }
}

/** Tokens that were reused, by tier. */
export interface ReusedTokens {
  readonly reused: number
  readonly fromRam: number
  readonly fromDisk: number
}

/**
 * Random prompts in mixed batches through one cache after the other, each answer compared with a cold run bit by bit,
 * and what is reused with a naive model.
 */
export async function fuzzCache(
  model: Model,
  plan: { readonly seed: number; readonly steps: number; readonly caches: readonly CacheBounds[] },
): Promise<ReusedTokens> {
  const cold = await aBench(model)
  const random = createRandom(plan.seed)
  const openings = Array.from({ length: 6 }, (_, index) => randomTokens(random, 40 + index * 150))
  const known = new Map<string, Float32Array>()
  let reused = 0
  let fromRam = 0
  let fromDisk = 0
  for (const options of plan.caches) {
    let bench = await aBench(model, options)
    const naive = new NaiveCache()
    const excess: number[] = []
    const flights: Flight[] = []
    for (let step = 0; step < plan.steps; step++) {
      if (flights.length < 5 && random() < 0.6) {
        const opening = openings[Math.floor(random() * openings.length)] ?? new Int32Array(1)
        const cut = 1 + Math.floor(random() * opening.length)
        const rest = randomTokens(random, 1 + Math.floor(random() * 90))
        const tokens = Int32Array.of(...opening.subarray(0, cut), ...rest)
        const scope = `scope-${Math.floor(random() * 2)}`
        const most = naive.longest(scope, tokens)
        const flight = take(bench, scope, tokens, random() < 0.1 ? 'off' : 'on')
        if (flight !== undefined) {
          excess.push(Math.max(0, cachedOf(flight.lease) - most))
          flights.push(flight)
          reused += flight.lease.cached.hot
          fromRam += flight.lease.cached.ram
          fromDisk += flight.lease.cached.disk
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
        if (flight.lease.stores && !flight.lease.forgotten) {
          naive.add(flight.lease.scope, flight.tokens.subarray(0, flight.at))
        }
        // Some of them only pause.
        const promptTokens = flight.tokens.length
        const end = random() < 0.9 ? { promptTokens, turnOver: random() < 0.5 } : undefined
        bench.cache.release(flight.lease, flight.tokens, flight.at, end)
        if (ended && flight.lease.stores && !flight.lease.forgotten && random() < 0.3) {
          const tokens = 1 + Math.floor(random() * promptTokens)
          const pin = { tokens, ttlMs: 1 + Math.floor(random() * 100), refreshes: random() < 0.5 }
          bench.cache.keep(flight.lease.scope, flight.tokens, [pin])
        }
        flights.splice(flights.indexOf(flight), 1)
      }
      bench.cache.pins.advance(step)
      if (random() < 0.3) bench.cache.work()
      if (random() < 0.02) {
        const scope = `scope-${Math.floor(random() * 2)}`
        bench.cache.reset(scope)
        naive.reset(scope)
      }
      const isDue = flights.length === 0 ? random() < 0.2 : step % 25 === 24
      if (options.diskIn === undefined || !isDue) continue
      for (const flight of flights.splice(0)) {
        if (flight.lease.stores && !flight.lease.forgotten) {
          naive.add(flight.lease.scope, flight.tokens.subarray(0, flight.at))
        }
        bench.cache.release(flight.lease, flight.tokens, flight.at, undefined)
      }
      bench = await restart(model, bench, options)
    }
    for (const flight of flights) bench.cache.release(flight.lease, flight.tokens, flight.at, undefined)
    bench.cache.reset('')
    expect(bench.cache.arena.freePages).toBe(bench.cache.arena.pages)
    expect(bench.cache.arena.top).toBe(16)
    expect(Math.max(...excess)).toBe(0)
    await bench.cache.ram.disk?.close()
    bench.context.close()
  }
  cold.context.close()
  return { reused, fromRam, fromDisk }
}
