import * as fc from 'fast-check'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import type { PromptPin } from '../schedule/request.ts'
import { requireNative, someTokens, temporaryDirectory } from '../testing/native-fixture.ts'
import { SchedulerBench } from '../testing/scheduler-fixture.ts'
import { blockTokens } from './block-key.ts'
import { PinBook } from './pin-book.ts'

const directory = temporaryDirectory()
let model: Model
/** Of the state of one block. */
let blockBytes: number
const minutes = (count: number): number => count * 60_000
const prefix = (blocks: number, seed: number): Int32Array => someTokens(blocks * blockTokens, seed)
const book = (maxPins?: number): PinBook =>
  new PinBook({
    keysOf: (scope, tokens, blocks) =>
      Array.from({ length: blocks }, (_, block) => `${scope} ${tokens.subarray(0, (block + 1) * blockTokens).join()}`),
    ...(maxPins === undefined ? {} : { maxPins }),
  })

beforeAll(async () => {
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
  const bench = await SchedulerBench.of(model, { cells: 1_024, contextTokens: 512, ramBytes: 2 ** 26 })
  await bench.run({ prompt: prefix(4, 1) })
  await bench.settle()
  const { bytes, size } = bench.cache.ram.pool
  blockBytes = bytes / size
  bench.close()
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

test('P-1 a pin lives from its last read, and is of one scope', () => {
  const pins = book()
  pins.advance(0)
  const { id } = pins.add({ scope: 'a', tokens: prefix(2, 1), ttlMs: minutes(5), refreshes: true })
  pins.advance(minutes(4))
  pins.use('b', prefix(4, 1))
  pins.use('a', prefix(1, 1))
  expect(pins.list()).toMatchObject([{ reads: 0, expiresAt: minutes(5) }])
  pins.use('a', prefix(4, 1))
  expect(pins.list()).toMatchObject([{ reads: 1, expiresAt: minutes(9) }])
  expect(pins.remove('b', id)).toBe(false)
  pins.advance(minutes(9))
  expect([pins.size, pins.tokens]).toEqual([0, 0])
})

test('prefixes that differ behind their last whole block only are two pins', () => {
  const pins = book()
  const [one, other] = [7, 8].map((last) => Int32Array.of(...prefix(2, 1), last))
  for (const tokens of [one, other]) {
    if (tokens !== undefined) pins.add({ scope: 'a', tokens, ttlMs: minutes(5), refreshes: true })
  }
  expect(pins.list().map(({ tokens }) => tokens)).toEqual([one, other])
})

test('the same prefix is one pin: a shorter life takes nothing from a longer one', () => {
  const pins = book()
  pins.add({ scope: 'a', tokens: prefix(2, 1), ttlMs: minutes(60), refreshes: true })
  pins.add({ scope: 'a', tokens: prefix(2, 1), ttlMs: minutes(5), refreshes: true })
  pins.add({ scope: 'a', tokens: prefix(3, 1), ttlMs: minutes(5), refreshes: true })
  expect(pins.list()).toMatchObject([
    { ttlMs: minutes(60), expiresAt: minutes(60) },
    { ttlMs: minutes(5), expiresAt: minutes(5) },
  ])
  // The longer one shares the blocks of the shorter one.
  expect(pins.tokens).toBe(3 * blockTokens)
})

test('P-1 a pin that was asked for with an hour and then with less is read for an hour, until it has expired', () => {
  const pins = book()
  const ask = (ttlMs: number) => pins.add({ scope: 'a', tokens: prefix(2, 1), ttlMs, refreshes: true })
  pins.advance(0)
  ask(minutes(60))
  pins.advance(minutes(10))
  ask(minutes(5))
  pins.use('a', prefix(3, 1))
  expect(pins.list()).toMatchObject([{ ttlMs: minutes(60), expiresAt: minutes(70) }])
  pins.advance(minutes(70))
  expect(ask(minutes(5))).toMatchObject({ ttlMs: minutes(5), expiresAt: minutes(75) })
})

test('under an id that is given the latest life counts, a shorter one too', () => {
  const pins = book()
  for (const ttlMs of [minutes(60), minutes(5)]) {
    pins.add({ id: 'contents', scope: 'a', tokens: prefix(2, 1), ttlMs, refreshes: false })
  }
  expect(pins.list()).toMatchObject([{ id: 'contents', ttlMs: minutes(5), expiresAt: minutes(5) }])
})

test('P-7 what expires soonest is given up first, where more is pinned than may be', () => {
  const pins = book(3)
  for (const seed of [1, 2, 3, 4]) {
    pins.add({ scope: 'a', tokens: prefix(2, seed), ttlMs: minutes(10 - seed), refreshes: true })
  }
  expect(pins.list().map(({ ttlMs }) => ttlMs)).toEqual([minutes(9), minutes(8), minutes(7)])
  pins.limit(4)
  expect(pins.list().map(({ ttlMs }) => ttlMs)).toEqual([minutes(9), minutes(8)])
  expect(pins.dropped).toBe(2)
})

test('what is kept is exactly the blocks of what is alive, whatever comes and goes', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(3), blocks: fc.integer({ min: 1, max: 3 }), ttlMs: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ use: fc.nat(3), blocks: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ wait: fc.nat(30) }),
    fc.record({ limit: fc.nat(6) }),
    fc.record({ reset: fc.constant('a') }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pins = book()
      let naive: { seed: number; blocks: number; ttlMs: number; until: number }[] = []
      let now = 0
      let limit = Infinity
      const kept = (): Set<string> =>
        new Set(naive.flatMap(({ seed, blocks }) => Array.from({ length: blocks }, (_, block) => `${seed} ${block}`)))
      for (const one of steps) {
        if ('add' in one) {
          pins.add({ scope: 'a', tokens: prefix(one.blocks, one.add), ttlMs: one.ttlMs, refreshes: true })
          const same = naive.find(({ seed, blocks }) => seed === one.add && blocks === one.blocks)
          const ttlMs = Math.max(one.ttlMs, same?.ttlMs ?? 0)
          const until = Math.max(now + ttlMs, same?.until ?? 0)
          naive = naive.filter((pin) => pin !== same)
          if (one.blocks <= limit) naive.push({ seed: one.add, blocks: one.blocks, ttlMs, until })
        } else if ('use' in one) {
          pins.use('a', prefix(one.blocks, one.use))
          for (const pin of naive) {
            if (pin.seed === one.use && pin.blocks <= one.blocks) pin.until = Math.max(pin.until, now + pin.ttlMs)
          }
        } else if ('wait' in one) {
          now += one.wait
          pins.advance(now)
          naive = naive.filter(({ until }) => until > now)
        } else if ('limit' in one) {
          pins.limit(one.limit)
          limit = one.limit
        } else {
          pins.reset(one.reset)
          naive = []
        }
        while (kept().size > limit) {
          const soonest = naive.reduce((first, pin) => (pin.until < first.until ? pin : first))
          naive = naive.filter((pin) => pin !== soonest)
        }
        expect(pins.tokens).toBe(kept().size * blockTokens)
        expect(pins.list().map(({ expiresAt }) => expiresAt)).toEqual(naive.map(({ until }) => until))
      }
    }),
  )
})

/** Tokens of a pinned and of another prompt that are still there after so many others of the same size. */
async function afterPressure(bench: SchedulerBench, pin: Partial<PromptPin>, others: number): Promise<number[]> {
  const [pinned, other] = [prefix(4, 1), prefix(4, 2)]
  const pins = [{ tokens: pinned.length, ttlMs: minutes(5), refreshes: true, ...pin }]
  await bench.run({ prompt: Int32Array.of(...pinned, 5), pins })
  await bench.run({ prompt: Int32Array.of(...other, 5) })
  await bench.settle()
  for (let index = 0; index < others; index++) {
    // oxlint-disable-next-line no-await-in-loop
    await bench.run({ prompt: prefix(4, 100 + index) })
    // oxlint-disable-next-line no-await-in-loop
    await bench.settle()
  }
  return [pinned, other].map((tokens) => bench.cache.find('a', Int32Array.of(...tokens, 6)))
}

test.each([
  { tier: 'RAM', options: { cells: 2_048, contextTokens: 512, hotCells: 0 }, blocks: 16 },
  { tier: 'the KV buffer', options: { cells: 2_048, contextTokens: 512 }, blocks: 0 },
])('P-1 P-7 what is pinned stays in $tier while others come and go, until it expires', async ({ options, blocks }) => {
  const bench = await SchedulerBench.of(model, { ...options, ramBytes: blocks * blockBytes })
  try {
    expect(await afterPressure(bench, {}, 12)).toEqual([256, 0])
    bench.cache.pins.advance(minutes(5))
    expect(await afterPressure(bench, { tokens: 0 }, 12)).toEqual([0, 0])
  } finally {
    bench.close()
  }
})

test('P-7 pins take at most half of a tier, and memory pressure wins over every pin', async () => {
  const bench = await SchedulerBench.of(model, {
    cells: 1_024,
    contextTokens: 768,
    hotCells: 0,
    ramBytes: 8 * blockBytes,
  })
  try {
    for (const seed of [1, 2, 3, 4, 5]) {
      const prompt = Int32Array.of(...prefix(4, seed), 5)
      const pins = [{ tokens: 256, ttlMs: minutes(5 + seed), refreshes: true }]
      // oxlint-disable-next-line no-await-in-loop
      expect((await bench.run({ prompt, pins })).error).toBeUndefined()
      // oxlint-disable-next-line no-await-in-loop
      await bench.settle()
    }
    const { pins, ram } = bench.cache
    expect(pins.tokens).toBeLessThanOrEqual(4 * blockTokens)
    expect(pins.dropped).toBe(4)
    expect(ram.pool.size).toBeLessThanOrEqual(8)
    // A prompt larger than the other half is served all the same.
    expect((await bench.run({ prompt: prefix(10, 9) })).outputTokens).toBeGreaterThan(0)
  } finally {
    bench.close()
  }
})
