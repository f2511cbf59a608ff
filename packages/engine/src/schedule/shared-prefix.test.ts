import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { SchedulerBench, greedy } from '../testing/scheduler-fixture.ts'
import type { BenchOptions } from '../testing/scheduler-fixture.ts'

let model: Model
const open: SchedulerBench[] = []
const sampling = { ...greedy, logitBias: { 0: -1_000, 1: -1_000, 2: -1_000 } }

beforeAll(() => {
  model = tinyModel(temporaryDirectory())
})
afterEach(() => {
  for (const bench of open.splice(0)) bench.close()
})
afterAll(() => model.close())

async function aBench(options: BenchOptions = {}, of: Model = model): Promise<SchedulerBench> {
  const bench = await SchedulerBench.of(of, {
    contextTokens: 6_000,
    cells: 16_384,
    maxConcurrent: 16,
    timeless: true,
    ...options,
  })
  open.push(bench)
  return bench
}

function text(random: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 400))
}

/** A crowd that arrives together: one opening, and `own` tokens of each. */
function crowd(bench: SchedulerBench, opening: Int32Array, own: readonly Int32Array[]): readonly string[] {
  return own.map((tokens, index) =>
    bench.submit({
      prompt: Int32Array.of(...opening, ...tokens),
      sharing: { org: 'a', session: `${index}` },
      maxTokens: 3,
      sampling,
    }),
  )
}

test('D-39 32 requests that arrive together on a cold prefix of 4,096 tokens evaluate it once', async () => {
  const bench = await aBench()
  const random = createRandom(1)
  const opening = text(random, 4_096)
  const own = Array.from({ length: 32 }, () => text(random, 12))
  const ids = crowd(bench, opening, own)
  await bench.drain()
  expect(bench.scheduler.counters.evaluatedTokens).toBe(4_096 + 32 * 12)
  expect(ids.map((id) => bench.outcome(id).prompt?.cachedTokens)).toEqual([
    0,
    ...Array.from({ length: 31 }, () => 4_096),
  ])
  const alone = await bench.run({
    prompt: Int32Array.of(...opening, ...(own[20] ?? [])),
    maxTokens: 3,
    sampling,
    prefixCache: 'off',
  })
  expect(bench.outcome(ids[20] ?? '').text).toBe(alone.text)
}, 180_000)

test('D-39 prompts that part midway go on by themselves from there, as soon as that is evaluated', async () => {
  const bench = await aBench({ cells: 24_576 })
  const random = createRandom(2)
  const opening = text(random, 4_096)
  const [first, ...others] = crowd(bench, opening, [
    text(random, 1_800),
    ...Array.from({ length: 4 }, () => text(random, 500)),
  ])
  await bench.drain()
  expect(bench.scheduler.counters.evaluatedTokens).toBe(4_096 + 1_800 + 4 * 500)
  // The first is longest; the others did not wait for its end.
  expect(bench.started.at(-1)).toBe(first)
  expect(others.map((id) => bench.outcome(id).prompt?.cachedTokens)).toEqual([4_096, 4_096, 4_096, 4_096])
})

test('D-39 when the first is cancelled another goes on where it was, and nothing is evaluated twice', async () => {
  const bench = await aBench()
  const random = createRandom(3)
  const [first, ...others] = crowd(
    bench,
    text(random, 4_096),
    Array.from({ length: 8 }, () => text(random, 20)),
  )
  for (let step = 0; step < 7; step++) await bench.scheduler.step()
  const before = bench.scheduler.counters.evaluatedTokens
  expect(before).toBeGreaterThan(1_000)
  bench.scheduler.cancel(first ?? '')
  await bench.drain()
  expect(bench.scheduler.counters.evaluatedTokens).toBe(4_096 + 7 * 20)
  expect(bench.events(first ?? '')).toEqual([])
  const cached = others.map((id) => bench.outcome(id).prompt?.cachedTokens)
  expect(cached).toEqual([before, ...Array.from({ length: 6 }, () => 4_096)])
})

test('D-39 when everyone that evaluates it is cancelled, one after the other, the last one is served', async () => {
  const bench = await aBench()
  const random = createRandom(4)
  const ids = crowd(
    bench,
    text(random, 4_096),
    Array.from({ length: 6 }, () => text(random, 20)),
  )
  for (const id of ids.slice(0, 5)) {
    await bench.scheduler.step()
    await bench.scheduler.step()
    bench.scheduler.cancel(id)
  }
  await bench.drain()
  expect(bench.outcome(ids[5] ?? '').reason).toBe('length')
  expect(bench.scheduler.counters.evaluatedTokens).toBe(4_096 + 20)
})

test('D-39 when the first fails the others are served, cold: nothing of what failed is reused', async () => {
  const bench = await aBench()
  const random = createRandom(5)
  const ids = crowd(
    bench,
    text(random, 600),
    Array.from({ length: 3 }, () => text(random, 20)),
  )
  const logits = bench.context.logits.bind(bench.context)
  bench.context.logits = (row) => {
    bench.context.logits = logits
    return logits(row).slice().fill(Number.NaN, 5, 6)
  }
  await bench.drain()
  expect(bench.outcome(ids[0] ?? '').error).toMatchObject({ code: 'engine_failed' })
  expect(bench.outcome(ids[1] ?? '')).toMatchObject({ reason: 'length' })
  expect(bench.outcome(ids[2] ?? '')).toMatchObject({ reason: 'length' })
  expect(bench.scheduler.running + bench.scheduler.queued).toBe(0)
})

test('D-39 one without prefix cache evaluates all of its own, and others do not wait for it', async () => {
  const bench = await aBench()
  const random = createRandom(6)
  const opening = text(random, 1_000)
  const off = bench.submit({ prompt: opening, prefixCache: 'off', maxTokens: 2, sampling })
  const ids = crowd(bench, opening, [text(random, 20), text(random, 20)])
  await bench.drain()
  expect(bench.outcome(off).prompt).toMatchObject({ cachedTokens: 0, evaluatedTokens: 1_000 })
  expect(ids.map((id) => bench.outcome(id).prompt?.cachedTokens)).toEqual([0, 1_000])
})

test('F-3 requests of another scope do not wait for a prefix, nor do they reuse it', async () => {
  const bench = await aBench()
  const random = createRandom(7)
  const prompt = text(random, 1_000)
  const ids = ['a', 'b'].map((scope) => bench.submit({ prompt, scope, maxTokens: 2, sampling }))
  await bench.drain()
  expect(ids.map((id) => bench.outcome(id).prompt?.cachedTokens)).toEqual([0, 0])
})

test('D-39 those that wait for a prefix hold up nobody behind them', async () => {
  const bench = await aBench()
  const random = createRandom(8)
  crowd(
    bench,
    text(random, 5_000),
    Array.from({ length: 20 }, () => text(random, 10)),
  )
  await bench.scheduler.step()
  const other = bench.submit({
    prompt: text(random, 30),
    sharing: { org: 'a', session: 'other' },
    maxTokens: 2,
    sampling,
  })
  for (let step = 0; step < 3; step++) await bench.scheduler.step()
  expect(bench.started).toEqual([other])
})

test('D-39 those that did not fit among the running ones reuse it as well, once there is room', async () => {
  const bench = await aBench({ maxConcurrent: 2, maxQueued: 40 })
  const random = createRandom(9)
  crowd(
    bench,
    text(random, 2_000),
    Array.from({ length: 12 }, () => text(random, 15)),
  )
  await bench.drain()
  expect(bench.scheduler.counters.evaluatedTokens).toBe(2_000 + 12 * 15)
})

test('D-39 a reset while the prefix is evaluated leaves nobody waiting for what does not come', async () => {
  const bench = await aBench()
  const random = createRandom(10)
  const ids = crowd(
    bench,
    text(random, 2_000),
    Array.from({ length: 4 }, () => text(random, 10)),
  )
  for (let step = 0; step < 3; step++) await bench.scheduler.step()
  await bench.scheduler.reset('')
  await bench.drain()
  for (const id of ids) expect(bench.outcome(id).reason).toBe('length')
  // The first, and one more that began anew; the rest share with that one.
  expect(bench.scheduler.counters.evaluatedTokens).toBe(2 * 2_010 + 2 * 10)
})

test('D-39 D-55 a model with whole states shares the end of tools and system, and waits for no more than that', async () => {
  const recurrent = tinyModel(temporaryDirectory(), 'tinyRecurrent')
  const bench = await aBench({ checkpoints: true, sequences: 12, maxConcurrent: 8 }, recurrent)
  const random = createRandom(11)
  const end = Array.from({ length: 768 }, (_, token) => token).find(
    (token) => token > 0 && recurrent.endsGeneration(token),
  )
  const system = Int32Array.of(...text(random, 900), end as number)
  const ids = crowd(
    bench,
    system,
    Array.from({ length: 6 }, () => text(random, 40)),
  )
  await bench.drain()
  expect(ids.map((id) => bench.outcome(id).prompt?.cachedTokens)).toEqual([0, 901, 901, 901, 901, 901])
  expect(bench.scheduler.counters.evaluatedTokens).toBe(901 + 6 * 40)
  bench.close()
  open.pop()
  recurrent.close()
})
