import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { SchedulerBench, greedy } from '../testing/scheduler-fixture.ts'
import type { BenchOptions } from '../testing/scheduler-fixture.ts'

let model: Model
const open: SchedulerBench[] = []

beforeAll(() => {
  model = tinyModel(temporaryDirectory(), 'tinyRecurrent')
})
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await bench.cache.checkpoints?.files?.close()
    bench.close()
  }
})
afterAll(() => model.close())

async function aBench(options: BenchOptions = {}): Promise<SchedulerBench> {
  const bench = await SchedulerBench.of(model, { checkpoints: true, sequences: 12, ...options })
  open.push(bench)
  return bench
}

function text(random: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 400))
}

/** Turns as a template writes them: each ends at a token that ends answers. */
function turns(...parts: readonly Int32Array[]): Int32Array {
  const end = Array.from({ length: model.facts.vocabularySize }, (_, token) => token).find(
    (token) => token > 0 && model.endsGeneration(token),
  )
  return Int32Array.from(parts.flatMap((part) => [...part, end as number]))
}

const sampling = { ...greedy, logitBias: { 0: -1_000, 1: -1_000, 2: -1_000 } }

test('D-40 D-55 siblings reuse the end of tools and system, repeats the last turn, follow-ups the answer', async () => {
  const bench = await aBench()
  const random = createRandom(1)
  const system = turns(text(random, 300))
  const first = Int32Array.of(...system, ...turns(text(random, 50)), ...text(random, 4))
  const cold = await bench.run({ prompt: first, maxTokens: 12, sampling })
  expect(cold.prompt).toMatchObject({ cachedTokens: 0, evaluatedTokens: first.length })
  const again = await bench.run({ prompt: first, maxTokens: 12, sampling })
  expect(again.prompt).toMatchObject({ cachedTokens: 352, evaluatedTokens: 4, tiers: { hot: 0, ram: 352, disk: 0 } })
  expect(again.text).toBe(cold.text)
  const sibling = Int32Array.of(...system, ...turns(text(random, 30)), ...text(random, 4))
  expect((await bench.run({ prompt: sibling, sampling })).prompt).toMatchObject({ cachedTokens: 301 })
  expect((await bench.run({ prompt: sibling, sampling, scope: 'b' })).prompt).toMatchObject({ cachedTokens: 0 })
})

test('CF-2 a follow-up turn goes on where the answer ended', async () => {
  const bench = await aBench()
  const random = createRandom(2)
  const prompt = Int32Array.of(...turns(text(random, 80)), ...text(random, 40))
  const kept: Int32Array[] = []
  const release = bench.cache.release.bind(bench.cache)
  bench.cache.release = (lease, tokens, count) => {
    kept.push(tokens.slice(0, count))
    release(lease, tokens, count)
  }
  await bench.run({ prompt, maxTokens: 20, sampling })
  const answered = kept[0] ?? prompt
  expect(answered.length).toBe(prompt.length + 19)
  const next = Int32Array.of(...answered, ...turns(text(random, 10)), ...text(random, 3))
  expect((await bench.run({ prompt: next, sampling })).prompt).toMatchObject({ cachedTokens: answered.length })
})

test('CF-6 a change before a saved place makes it unusable, and a prompt without turns is saved at its end', async () => {
  const bench = await aBench()
  const random = createRandom(3)
  const prompt = text(random, 200)
  await bench.run({ prompt, sampling })
  expect((await bench.run({ prompt, sampling })).prompt).toMatchObject({ cachedTokens: 199, evaluatedTokens: 1 })
  const changed = prompt.slice()
  changed[150] = 299
  expect((await bench.run({ prompt: changed, sampling })).prompt).toMatchObject({ cachedTokens: 0 })
})

test('F-4 a reset drops what was saved, and what a running request computed before does not come back', async () => {
  const bench = await aBench()
  const random = createRandom(4)
  const prompt = Int32Array.of(...turns(text(random, 600)), ...text(random, 40))
  bench.submit({ prompt, maxTokens: 10, sampling })
  for (let step = 0; step < 3; step++) await bench.scheduler.step()
  await bench.scheduler.reset('')
  await bench.drain()
  expect(bench.cache.checkpoints?.size).toBe(0)
  expect(bench.cache.find('a', prompt)).toBe(0)
})

test('F-5 D-55 conversations that grow side by side give the tokens of cold runs: from RAM, from disk, under pressure', async () => {
  const random = createRandom(5)
  const systems = Array.from({ length: 3 }, (_, index) => turns(text(random, 60 + 90 * index)))
  const prompts = Array.from({ length: 60 }, () => {
    const system = systems[Math.floor(random() * systems.length)] ?? new Int32Array(1)
    const parts = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      text(createRandom(Math.floor(random() * 4)), 20 + Math.floor(random() * 3)),
    )
    return Int32Array.of(...system, ...turns(...parts), ...text(random, 1 + Math.floor(random() * 5)))
  })
  const answersWith = async (options: BenchOptions, prefixCache: 'on' | 'off') => {
    const bench = await aBench(options)
    const answers: string[] = []
    for (let at = 0; at < prompts.length; at += 5) {
      // Others run at the same time; one of them is cancelled half-way.
      const ids = prompts
        .slice(at, at + 5)
        .map((prompt) => bench.submit({ prompt, maxTokens: 9, sampling, prefixCache }))
      const left = bench.submit({ prompt: prompts[at] ?? new Int32Array(1), maxTokens: 40, sampling, prefixCache })
      for (let step = 0; step < 6; step++) await bench.scheduler.step()
      bench.scheduler.cancel(left)
      await bench.drain()
      // However slow the disk is: more than a few do not wait for it.
      await bench.cache.checkpoints?.files?.flush(10_000)
      answers.push(...ids.map((id) => bench.outcome(id).text))
    }
    return { answers, bench, cached: bench.scheduler.counters.cachedTokens }
  }
  const off = await answersWith({ maxConcurrent: 1 }, 'off')
  expect(off.cached).toBe(0)
  expect(new Set(off.answers).size).toBeGreaterThan(30)
  const ram = await answersWith({}, 'on')
  const pressure = await answersWith({ ramBytes: 2 ** 17, maxConcurrent: 3 }, 'on')
  const diskIn = temporaryDirectory()
  const before = await answersWith({ diskIn }, 'on')
  await before.bench.cache.checkpoints?.files?.close()
  const after = await answersWith({ diskIn }, 'on')
  for (const mode of [ram, pressure, before, after]) {
    expect(mode.answers).toEqual(off.answers)
    expect(mode.cached).toBeGreaterThan(1_500)
  }
  expect(after.bench.cache.checkpoints?.files?.counters.read).toBeGreaterThan(2)
  expect(after.cached).toBeGreaterThan(before.cached)
}, 120_000)

test('F-1 P-7 checkpoints survive a restart; what is damaged is dropped, counted and never used', async () => {
  const diskIn = temporaryDirectory()
  const random = createRandom(6)
  const prompt = Int32Array.of(...turns(text(random, 200)), ...text(random, 9))
  const first = await aBench({ diskIn })
  const cold = await first.run({ prompt, sampling, maxTokens: 6 })
  await first.cache.checkpoints?.files?.flush(10_000)
  await first.cache.checkpoints?.files?.close()
  const second = await aBench({ diskIn })
  const warm = await second.run({ prompt, sampling, maxTokens: 6 })
  expect(warm).toMatchObject({ text: cold.text, prompt: { cachedTokens: 201, tiers: { ram: 0, disk: 201 } } })
  await second.cache.checkpoints?.files?.flush(10_000)
  await second.cache.checkpoints?.files?.close()
  for (const name of readdirSync(diskIn).filter((each) => each.endsWith('.checkpoint'))) {
    const bytes = readFileSync(join(diskIn, name))
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 0x40
    writeFileSync(join(diskIn, name), bytes)
    writeFileSync(join(diskIn, `${'0'.repeat(64)}.checkpoint`), bytes.subarray(0, 30))
  }
  writeFileSync(join(diskIn, 'torn.part'), 'x')
  const third = await aBench({ diskIn })
  const again = await third.run({ prompt, sampling, maxTokens: 6 })
  expect(again).toMatchObject({ text: cold.text, prompt: { cachedTokens: 0 } })
  expect(third.cache.checkpoints?.files?.counters.discarded).toBeGreaterThan(1)
  expect(readdirSync(diskIn)).not.toContain('torn.part')
})
