import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { SchedulerBench, greedy } from '../testing/scheduler-fixture.ts'
import type { BenchOptions } from '../testing/scheduler-fixture.ts'

let model: Model
let recurrent: Model
const open: SchedulerBench[] = []
/** No token may end an answer. */
const sampling = { ...greedy, logitBias: { 0: -1_000, 1: -1_000, 2: -1_000 } }

beforeAll(() => {
  const directory = temporaryDirectory()
  model = tinyModel(directory)
  recurrent = tinyModel(directory, 'tinyRecurrent')
})
afterEach(() => {
  for (const bench of open.splice(0)) bench.close()
})
afterAll(() => {
  model.close()
  recurrent.close()
})

async function aBench(options: BenchOptions = {}, of: Model = model): Promise<SchedulerBench> {
  const bench = await SchedulerBench.of(of, {
    contextTokens: 8_000,
    cells: 16_384,
    maxConcurrent: 16,
    hotCells: 0,
    timeless: true,
    ...options,
  })
  open.push(bench)
  return bench
}

function text(random: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 400))
}

/** Steps until one has said something. @returns how many it took */
async function stepsUntil(bench: SchedulerBench, id: string): Promise<number> {
  for (let steps = 1; ; steps++) {
    await bench.scheduler.step()
    if (bench.outcome(id).prompt !== undefined) return steps
    expect(steps).toBeLessThan(1_000)
  }
}

test.for(['with places for both', 'with room for one'] as const)(
  'a short prompt behind a long one starts within two steps: %s',
  { timeout: 180_000 },
  async (room) => {
    const roomy = room === 'with places for both'
    const bench = await aBench(roomy ? {} : { cells: 8_192, contextTokens: 8_000 })
    const random = createRandom(1)
    const long = { prompt: text(random, 7_000), scope: 'long', maxTokens: 30, sampling }
    const id = bench.submit(long)
    for (let step = 0; step < 10; step++) await bench.scheduler.step()
    const short = { prompt: text(random, 20), scope: 'short', maxTokens: 8, sampling }
    const behind = bench.submit(short)
    expect(await stepsUntil(bench, behind)).toBeLessThanOrEqual(2)
    expect(bench.outcome(id).prompt).toBeUndefined()
    // Its cells lie behind what the long one has evaluated, not behind its end: everyone pays for the highest cell.
    expect(bench.cache.arena.top).toBeLessThan(4_000)
    await bench.drain()
    // Nothing was evaluated twice, and nobody's answer is another one.
    expect(bench.outcome(id).prompt).toMatchObject({ cachedTokens: 0, evaluatedTokens: 7_000 })
    expect(bench.outcome(id).outputTokens).toBe(30)
    expect((await bench.run({ ...short, prefixCache: 'off' })).text).toBe(bench.outcome(behind).text)
    expect((await bench.run({ ...long, prefixCache: 'off' })).text).toBe(bench.outcome(id).text)
  },
)

test('one session that sends 30 requests does not hold up another that sends one', async () => {
  for (const [many, one] of [
    [
      { org: 'a', session: '1' },
      { org: 'b', session: '1' },
    ],
    [
      { org: 'a', session: '1' },
      { org: 'a', session: '2' },
    ],
  ]) {
    const bench = await aBench({ maxConcurrent: 4 })
    const random = createRandom(2)
    const crowd = Array.from({ length: 30 }, () =>
      bench.submit({ prompt: text(random, 400), sharing: many, maxTokens: 4, sampling }),
    )
    for (let step = 0; step < 3; step++) await bench.scheduler.step()
    const id = bench.submit({ prompt: text(random, 40), sharing: one, maxTokens: 4, sampling })
    await bench.drain()
    // Before it: what had begun, and at most one more.
    expect(bench.started.indexOf(id)).toBeLessThanOrEqual(5)
    expect(bench.started.filter((started) => started !== id)).toEqual(crowd)
  }
})

test('over any stretch of steps each of k who have prompts waiting gets an equal part, but for some batches', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 2 ** 30 }), async (count, seed) => {
      const bench = await aBench({ batchTokens: 128, cells: 8_192, contextTokens: 4_000, maxQueued: 400 })
      const random = createRandom(seed)
      const names = Array.from({ length: count }, (_, index) => `org-${index}`)
      const left = new Map(names.map((name) => [name, 0]))
      // Some send few long prompts, others many short ones: all have more than is evaluated here.
      for (const name of names) {
        const length = 20 + Math.floor(random() * 1_500)
        for (let sent = 0; sent < 2_500; sent += length) {
          bench.submit({ prompt: text(random, length), scope: name, maxTokens: 1, sampling })
          left.set(name, (left.get(name) ?? 0) + length)
        }
      }
      bench.batches.length = 0
      for (let step = 0; step < (2_000 * count) / 128; step++) await bench.scheduler.step()
      for (let start = 0; start < bench.batches.length; start += 5) {
        for (let end = start; end <= bench.batches.length; end += 7) {
          const stretch = bench.batches.slice(start, end)
          const had = names.map((name) => stretch.reduce((sum, batch) => sum + (batch.get(name) ?? 0), 0))
          const total = had.reduce((sum, one) => sum + one, 0)
          for (const one of had) expect(one).toBeGreaterThanOrEqual(total / count - 2 * 128)
        }
      }
      bench.close()
      open.splice(open.indexOf(bench), 1)
    }),
    { numRuns: 4 },
  )
}, 180_000)

test('a prompt that lends its room again and again gets done all the same', async () => {
  const bench = await aBench({ cells: 8_192, contextTokens: 8_000, maxConcurrent: 4, maxQueued: 300 })
  const random = createRandom(4)
  const long = bench.submit({ prompt: text(random, 7_500), scope: 'long', maxTokens: 2, sampling })
  let sent = 0
  let done = false
  for (let steps = 0; !done; steps++) {
    // Newcomers of ever new organisations, more than can be served.
    bench.submit({ prompt: text(random, 100), scope: `new-${sent++}`, maxTokens: 30, sampling })
    await bench.scheduler.step()
    done = bench.outcome(long).reason !== undefined
    if (bench.scheduler.queued > 200) for (let at = sent - 150; at < sent; at++) bench.scheduler.cancel(`request-${at}`)
    expect(steps).toBeLessThan(3_000)
  }
  expect(bench.outcome(long).prompt).toMatchObject({ evaluatedTokens: 7_500 })
  expect(bench.started.length).toBeGreaterThan(3)
})

test('whoever waits for room is overtaken a few times at most', async () => {
  const bench = await aBench({ cells: 4_096, contextTokens: 4_000, maxConcurrent: 8, maxQueued: 300 })
  const random = createRandom(5)
  const steady = bench.submit({ prompt: text(random, 100), scope: 'steady', maxTokens: 1_500, sampling })
  await bench.scheduler.step()
  const large = bench.submit({ prompt: text(random, 3_000), scope: 'large', maxTokens: 4, sampling })
  const small = Array.from({ length: 40 }, (_, index) =>
    bench.submit({ prompt: text(random, 60), scope: `small-${index}`, maxTokens: 4, sampling }),
  )
  await bench.drain()
  const begins = bench.batches.findIndex((batch) => batch.has('large'))
  const before = new Set(bench.batches.slice(0, begins).flatMap((batch) => [...batch.keys()]))
  expect([...before].filter((scope) => scope !== 'steady')).toHaveLength(8)
  for (const id of [steady, large, ...small]) expect(bench.outcome(id).reason).toBe('length')
})

test('D-55 a model whose batches hold one prompt takes turns between sessions, too', async () => {
  const bench = await aBench({ checkpoints: true, sequences: 12, maxConcurrent: 6, cells: 16_384 }, recurrent)
  const random = createRandom(6)
  const long = { prompt: text(random, 5_000), scope: 'long', maxTokens: 5, sampling }
  const id = bench.submit(long)
  for (let step = 0; step < 3; step++) await bench.scheduler.step()
  const shorts = Array.from({ length: 3 }, (_, index) => ({
    prompt: text(random, 50),
    scope: `short-${index}`,
    maxTokens: 6,
    sampling,
  }))
  const ids = shorts.map((request) => bench.submit(request))
  // Two batches for each, since its state is saved before its last token; answers have every other one.
  for (let step = 0; step < 12; step++) await bench.scheduler.step()
  expect(bench.started).toEqual(ids)
  await bench.drain()
  for (const [at, request] of [...shorts, long].entries()) {
    const alone = await bench.run({ ...request, prefixCache: 'off' })
    expect(bench.outcome([...ids, id][at] ?? '').text).toBe(alone.text)
  }
})
