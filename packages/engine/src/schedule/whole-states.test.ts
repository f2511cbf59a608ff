import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { SchedulerBench, greedy } from '../testing/scheduler-fixture.ts'
import type { BenchOptions } from '../testing/scheduler-fixture.ts'

describe.each(['tinyRecurrent', 'tinyHybrid', 'tinyHybridQ8'] as const)('whole states: %s', (shape) => {
  let model: Model
  const open: SchedulerBench[] = []

  beforeAll(() => {
    model = tinyModel(temporaryDirectory(), shape)
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

  test('D-40 D-55 siblings reuse the end of tools and system, repeats the last turn', async () => {
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

  /** Prompt and answer of each request that has ended, as far as they were evaluated. */
  function record(bench: SchedulerBench): Int32Array[] {
    const ended: Int32Array[] = []
    const release = bench.cache.release.bind(bench.cache)
    bench.cache.release = (lease, tokens, count, end) => {
      ended.push(tokens.slice(0, count))
      release(lease, tokens, count, end)
    }
    return ended
  }

  test('CF-2 D-55 a follow-up turn goes on where the last turn of the prompt ended: an answer is evaluated again, as a prompt is', async () => {
    const bench = await aBench()
    const random = createRandom(2)
    const prompt = Int32Array.of(...turns(text(random, 80)), ...text(random, 40))
    const ended = record(bench)
    await bench.run({ prompt, maxTokens: 20, sampling })
    const answered = ended[0] ?? prompt
    expect(answered.length).toBe(prompt.length + 19)
    const next = Int32Array.of(...answered, ...turns(text(random, 10)), ...text(random, 3))
    const asked = { prompt: next, sampling, topLogprobs: 5 }
    const warm = await bench.run(asked)
    expect(warm.prompt).toMatchObject({ cachedTokens: 81 })
    expect((await bench.run({ ...asked, prefixCache: 'off' })).logprobs).toEqual(warm.logprobs)
  })

  test('CF-6 a change before a saved place makes it unusable, and a prompt without turns is saved two tokens before its end', async () => {
    const bench = await aBench()
    const random = createRandom(3)
    const prompt = text(random, 200)
    await bench.run({ prompt, sampling })
    expect((await bench.run({ prompt, sampling })).prompt).toMatchObject({ cachedTokens: 198, evaluatedTokens: 2 })
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

  test('F-5 D-55 conversations that grow side by side give the logits of cold runs alone: from RAM, from disk, under pressure, paused', async () => {
    const random = createRandom(5)
    const asked = { maxTokens: 9, sampling, topLogprobs: 5 }
    const systems = Array.from({ length: 3 }, (_, index) => turns(text(random, 60 + 90 * index)))
    const conversations = Array.from({ length: 5 }, (_, index) => systems[index % 3] ?? new Int32Array(0))
    const rounds: Int32Array[][] = []
    const alone = await aBench({ maxConcurrent: 1 })
    const ended = record(alone)
    const expected: { text: string; logprobs: readonly number[] }[] = []
    for (let round = 0; round < 8; round++) {
      const prompts = conversations.map((conversation) => {
        const parts = Array.from({ length: 1 + Math.floor(random() * 2) }, () =>
          text(random, 1 + Math.floor(random() * 30)),
        )
        return Int32Array.of(...conversation, ...turns(...parts), ...text(random, 1 + Math.floor(random() * 4)))
      })
      rounds.push(prompts)
      for (const [index, prompt] of prompts.entries()) {
        const { text: answer, logprobs } = await alone.run({ ...asked, prompt, prefixCache: 'off' })
        expected.push({ text: answer, logprobs })
        conversations[index] = turns(ended.at(-1) ?? prompt)
      }
    }
    expect(alone.scheduler.counters.cachedTokens).toBe(0)
    expect(new Set(expected.map(({ text: answer }) => answer)).size).toBeGreaterThan(30)
    const run = async (options: BenchOptions) => {
      const bench = await aBench(options)
      const answers: { text: string; logprobs: readonly number[] }[] = []
      for (const prompts of rounds) {
        const ids = prompts.map((prompt) => bench.submit({ ...asked, prompt }))
        // Another runs at the same time, and is cancelled half-way.
        const left = bench.submit({ prompt: text(random, 30), maxTokens: 40, sampling })
        for (let step = 0; step < 6; step++) await bench.scheduler.step()
        bench.scheduler.cancel(left)
        await bench.drain()
        // However slow the disk is: more than a few do not wait for it.
        await bench.cache.checkpoints?.files?.flush(10_000)
        answers.push(
          ...ids.map((id) => bench.outcome(id)).map(({ text: answer, logprobs }) => ({ text: answer, logprobs })),
        )
      }
      expect(answers).toEqual(expected)
      return { bench, cached: bench.scheduler.counters.cachedTokens }
    }
    const diskIn = temporaryDirectory()
    const before = await run({ diskIn })
    await before.bench.cache.checkpoints?.files?.close()
    const after = await run({ diskIn })
    const modes = [await run({}), await run({ ramBytes: 2 ** 19, maxConcurrent: 3 }), before, after]
    for (const { cached } of modes) expect(cached).toBeGreaterThan(1_000)
    expect(modes[0]?.cached).toBeGreaterThan(3_000)
    expect(after.bench.cache.checkpoints?.files?.counters.read).toBeGreaterThan(2)
    expect(after.cached).toBeGreaterThan(before.cached)
  }, 120_000)

  test('F-5 D-55 answers that do not fit together are paused, and go on with the logits of one that was not', async () => {
    const bench = await aBench({ cells: 3_600, contextTokens: 2_000, maxConcurrent: 4 })
    const random = createRandom(27)
    const requests = Array.from({ length: 3 }, (_, at) => ({
      prompt: text(random, 100 + at),
      maxTokens: 1_500 + at,
      sampling,
      topLogprobs: 1,
    }))
    let suspended = 0
    const suspend = bench.cache.suspend.bind(bench.cache)
    bench.cache.suspend = (...held) => {
      suspended++
      suspend(...held)
    }
    const ids = requests.map((request) => bench.submit(request))
    await bench.drain()
    expect(suspended).toBeGreaterThan(0)
    for (const [at, request] of requests.entries()) {
      const aloneRun = await bench.run({ ...request, prefixCache: 'off' })
      const together = bench.outcome(ids[at] ?? '')
      expect(together).toMatchObject({ reason: 'length', outputTokens: 1_500 + at })
      expect(together.logprobs).toEqual(aloneRun.logprobs)
    }
    expect(bench.cache.arena.freePages).toBe(bench.cache.arena.pages)
  })

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
    const torn = `${'1'.repeat(64)}.checkpoint.part`
    writeFileSync(join(diskIn, torn), 'x')
    writeFileSync(join(diskIn, 'notes.txt'), 'not ours')
    const third = await aBench({ diskIn })
    const again = await third.run({ prompt, sampling, maxTokens: 6 })
    expect(again).toMatchObject({ text: cold.text, prompt: { cachedTokens: 0 } })
    expect(third.cache.checkpoints?.files?.counters.discarded).toBeGreaterThan(1)
    expect(readdirSync(diskIn)).not.toContain(torn)
    expect(readdirSync(diskIn)).toContain('notes.txt')
  })
})
