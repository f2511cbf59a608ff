import { IncipitError } from '@incipit/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { requireNative, temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'
import { SchedulerBench, greedy, randomPrompt } from '../testing/scheduler-fixture.ts'
import type { BenchOptions } from '../testing/scheduler-fixture.ts'

let model: Model
const open: SchedulerBench[] = []

beforeAll(() => {
  const directory = temporaryDirectory()
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterEach(() => {
  for (const bench of open.splice(0)) bench.close()
})
afterAll(() => model.close())

async function aBench(options: BenchOptions = {}): Promise<SchedulerBench> {
  const bench = await SchedulerBench.of(model, options)
  open.push(bench)
  return bench
}

test('CF-1 the evaluated-token counter is the prompt minus what was cached', async () => {
  const bench = await aBench()
  const random = createRandom(1)
  const opening = randomPrompt(random, 700)
  await bench.run({ prompt: opening })
  const { prompt } = await bench.run({ prompt: Int32Array.of(...opening, ...randomPrompt(random, 30)) })
  expect(prompt).toMatchObject({
    promptTokens: 730,
    cachedTokens: 700,
    evaluatedTokens: 30,
    tiers: { hot: 700, ram: 0 },
  })
  expect(bench.scheduler.counters).toMatchObject({ promptTokens: 1_430, cachedTokens: 700, evaluatedTokens: 730 })
})

test('CF-2 a follow-up turn reuses prompt and answer without being asked to', async () => {
  const bench = await aBench()
  const random = createRandom(2)
  const prompt = randomPrompt(random, 150)
  const first = bench.submit({ prompt, maxTokens: 20 })
  await bench.drain()
  const answer = [...bench.cache.tree.path(bench.cache.tree.victim()!)].slice(150)
  expect(answer.length).toBe(bench.outcome(first).outputTokens - 1)
  const next = await bench.run({ prompt: Int32Array.of(...prompt, ...answer, ...randomPrompt(random, 12)) })
  expect(next.prompt?.cachedTokens).toBe(150 + answer.length)
})

test('CF-6 one differing token invalidates from there on and only from there', async () => {
  const random = createRandom(3)
  const original = randomPrompt(random, 300)
  for (const at of [17, 63, 64, 65, 128, 255, 256, 299]) {
    const bench = await aBench()
    await bench.run({ prompt: original })
    const changed = original.slice()
    changed[at] = 299
    const { prompt } = await bench.run({ prompt: changed })
    expect(prompt?.cachedTokens).toBe(at)
  }
})

test('CF-8 the first request is cold, and so is everything below the minimum', async () => {
  const bench = await aBench({ minCachedTokens: 16 })
  const random = createRandom(4)
  const opening = randomPrompt(random, 16)
  expect((await bench.run({ prompt: opening })).prompt?.cachedTokens).toBe(0)
  expect((await bench.run({ prompt: opening })).prompt?.cachedTokens).toBe(0)
  const longer = Int32Array.of(...opening, ...randomPrompt(random, 5))
  expect((await bench.run({ prompt: longer })).prompt?.cachedTokens).toBe(16)
})

test('the last prompt token is always evaluated', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(5), 256)
  await bench.run({ prompt })
  expect((await bench.run({ prompt })).prompt).toMatchObject({ cachedTokens: 255, evaluatedTokens: 1 })
})

test('a request for 0 tokens evaluates and keeps the prompt, and generates nothing', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(50), 200)
  const warmed = await bench.run({ prompt, maxTokens: 0 })
  expect(warmed).toMatchObject({ text: '', reason: 'length', outputTokens: 0, error: undefined })
  expect(warmed.prompt).toMatchObject({ cachedTokens: 0, evaluatedTokens: 200 })
  expect(bench.scheduler.counters).toMatchObject({ generatedTokens: 0 })
  expect((await bench.run({ prompt })).prompt).toMatchObject({ cachedTokens: 199, evaluatedTokens: 1 })
})

test('F-1 the oldest prompts are evicted first', async () => {
  const bench = await aBench({ cells: 1_024, contextTokens: 300 })
  const random = createRandom(6)
  const prompts = Array.from({ length: 4 }, () => randomPrompt(random, 250))
  for (const prompt of prompts) await bench.run({ prompt, maxTokens: 1 })
  const kept = prompts.map((prompt) => bench.cache.find('a', Int32Array.of(...prompt, 1)))
  expect(kept[0]).toBeLessThan(250)
  expect(kept.slice(1)).toEqual([250, 250, 250])
})

test('F-3 P-6 F-7 scopes share nothing, hot or from RAM', async () => {
  const bench = await aBench({ ramBytes: 2 ** 22 })
  const prompt = randomPrompt(createRandom(7), 600)
  await bench.run({ prompt, scope: 'a' })
  await bench.settle()
  expect((await bench.run({ prompt, scope: 'b' })).prompt?.cachedTokens).toBe(0)
  bench.cache.shrink(0)
  expect(bench.cache.find('c', prompt)).toBe(0)
  expect((await bench.run({ prompt, scope: 'a' })).prompt?.tiers).toMatchObject({ hot: 0, ram: 576 })
})

test('CF-6 a prompt that leaves a cached one within a block has the tokens before that place from RAM, too', async () => {
  const bench = await aBench({ ramBytes: 2 ** 22 })
  const random = createRandom(70)
  const original = randomPrompt(random, 600)
  await bench.run({ prompt: original })
  await bench.settle()
  for (const at of [10, 63, 64, 200, 255, 400]) {
    bench.cache.shrink(0)
    const changed = Int32Array.of(...original.subarray(0, at), 299, ...randomPrompt(random, 20))
    const { prompt } = await bench.run({ prompt: changed, prefixCache: 'on' })
    // Below the minimum nothing is reused.
    expect(prompt?.tiers).toMatchObject({ hot: 0, ram: at < 16 ? 0 : at })
  }
})

test('F-4 a reset drops every tier of the chosen scopes and says how much', async () => {
  const bench = await aBench({ ramBytes: 2 ** 22 })
  const prompt = randomPrompt(createRandom(8), 600)
  for (const scope of ['a1', 'a2', 'b1']) await bench.run({ prompt, scope, maxTokens: 1 })
  await bench.settle()
  const dropped = await bench.scheduler.reset('a')
  expect(dropped).toMatchObject({ hotTokens: 1_200, ramTokens: 1_152 })
  expect(bench.cache.find('a1', prompt)).toBe(0)
  expect(bench.cache.find('b1', prompt)).toBe(599)
})

test('F-4 what a request computed before a reset does not come back behind it', async () => {
  const bench = await aBench({ ramBytes: 2 ** 22 })
  const prompt = randomPrompt(createRandom(9), 600)
  bench.submit({ prompt, maxTokens: 30 })
  for (let step = 0; step < 6; step++) await bench.scheduler.step()
  await bench.scheduler.reset('')
  await bench.drain()
  await bench.settle()
  expect(bench.cache.find('a', prompt)).toBe(0)
  expect(bench.cache.arena.freePages).toBe(bench.cache.arena.pages)
})

test('P-7 a prefix evicted mid-life is served cold with the same answer', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(11), 500)
  const first = await bench.run({ prompt, maxTokens: 24 })
  bench.cache.shrink(0)
  const again = await bench.run({ prompt, maxTokens: 24 })
  expect(again.prompt?.cachedTokens).toBe(0)
  expect(again.text).toBe(first.text)
})

test('prefix cache off reads nothing and stores nothing', async () => {
  const bench = await aBench({ ramBytes: 2 ** 22 })
  const prompt = randomPrompt(createRandom(12), 600)
  await bench.run({ prompt })
  const off = await bench.run({ prompt, prefixCache: 'off' })
  expect(off.prompt).toMatchObject({ cachedTokens: 0, evaluatedTokens: 600 })
  // Nothing was looked up for it: it is in no hit ratio, and nothing is held any more.
  expect(bench.scheduler.counters).toMatchObject({ promptTokens: 1_200, queriedTokens: 600 })
  expect(bench.cache.heldTokens).toBe(0)
  await bench.scheduler.reset('')
  await bench.run({ prompt, prefixCache: 'off' })
  await bench.settle()
  expect(bench.cache.tree.cells).toBe(0)
  expect(bench.cache.ram.pool.size).toBe(0)
})

test('F-5 300 prompts give the same tokens with the cache off, hot, from RAM and under pressure', async () => {
  const random = createRandom(13)
  const openings = Array.from({ length: 12 }, (_, index) => randomPrompt(random, 30 + index * 60))
  const prompts = Array.from({ length: 300 }, () => {
    const opening = openings[Math.floor(random() * openings.length)] ?? new Int32Array(1)
    const cut = Math.ceil(random() * opening.length)
    return Int32Array.of(...opening.subarray(0, cut), ...randomPrompt(random, 1 + Math.floor(random() * 40)))
  })
  const answersWith = async (options: BenchOptions, prefixCache: 'on' | 'off') => {
    const bench = await aBench(options)
    const answers: string[] = []
    // Other requests run at the same time, so that batches and cells differ from mode to mode.
    for (let at = 0; at < prompts.length; at += 6) {
      const ids = prompts.slice(at, at + 6).map((prompt) => bench.submit({ prompt, maxTokens: 12, prefixCache }))
      await bench.drain()
      answers.push(...ids.map((id) => JSON.stringify([bench.outcome(id).text, bench.outcome(id).outputTokens])))
      if (options.ramBytes !== undefined) await bench.settle()
    }
    return { answers, cached: bench.scheduler.counters.cachedTokens, ram: bench.cache.ram.pool.size }
  }
  const off = await answersWith({ maxConcurrent: 1 }, 'off')
  const hot = await answersWith({}, 'on')
  const ram = await answersWith({ ramBytes: 2 ** 24, hotCells: 0 }, 'on')
  const pressure = await answersWith({ cells: 2_816, contextTokens: 1_024, maxConcurrent: 3 }, 'on')
  expect(off.cached).toBe(0)
  for (const mode of [hot, ram, pressure]) {
    expect(mode.cached).toBeGreaterThan(5_000)
    expect(mode.answers).toEqual(off.answers)
  }
  expect(new Set(off.answers).size).toBeGreaterThan(250)
})

test('F-5 each generation is sampled by itself: a warm prompt does not replay an answer', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(14), 200)
  const sampling = { ...greedy, temperature: 1 }
  const answers = new Set<string>()
  for (let run = 0; run < 5; run++) answers.add((await bench.run({ prompt, sampling, maxTokens: 16 })).text)
  expect(answers.size).toBe(5)
})

test('F-5 the same seed gives the same answer, cold, warm and beside others', async () => {
  const bench = await aBench()
  const random = createRandom(23)
  const prompt = randomPrompt(random, 200)
  const sampling = { ...greedy, temperature: 1, topP: 0.95, seed: 7 }
  const cold = await bench.run({ prompt, sampling, maxTokens: 24 })
  const id = bench.submit({ prompt, sampling, maxTokens: 24 })
  for (const seed of [8, 9]) bench.submit({ prompt, sampling: { ...sampling, seed, topK: 50 }, maxTokens: 24 })
  await bench.drain()
  expect(bench.outcome(id).prompt?.cachedTokens).toBe(199)
  expect(bench.outcome(id).text).toBe(cold.text)
})

test('32 requests at once all finish, and start in order of arrival', async () => {
  const bench = await aBench({ maxConcurrent: 32, cells: 16_384 })
  const random = createRandom(15)
  const ids = Array.from({ length: 32 }, () =>
    bench.submit({ prompt: randomPrompt(random, 20 + random() * 200), maxTokens: 24 }),
  )
  await bench.drain()
  expect(bench.started).toEqual(ids)
  for (const id of ids) expect(bench.outcome(id).reason).toMatch(/^(stop|length)$/)
})

test('requests that arrive together share the prefix that the first of them evaluates', async () => {
  const bench = await aBench({ maxConcurrent: 8 })
  const random = createRandom(16)
  const opening = randomPrompt(random, 640)
  const ids = Array.from({ length: 5 }, () =>
    bench.submit({ prompt: Int32Array.of(...opening, ...randomPrompt(random, 10)) }),
  )
  await bench.drain()
  expect(ids.map((id) => bench.outcome(id).prompt?.cachedTokens)).toEqual([0, 640, 640, 640, 640])
  expect(bench.scheduler.counters.evaluatedTokens).toBe(650 + 4 * 10)
})

test('a request waits until its prompt and its output fit beside the running ones', async () => {
  const bench = await aBench({ cells: 1_024, contextTokens: 800, maxConcurrent: 8 })
  const random = createRandom(17)
  const first = bench.submit({
    prompt: randomPrompt(random, 100),
    maxTokens: 500,
    sampling: { ...greedy, logitBias: bans() },
  })
  const second = bench.submit({ prompt: randomPrompt(random, 100), maxTokens: 300 })
  await bench.scheduler.step()
  await bench.scheduler.step()
  expect([bench.scheduler.running, bench.scheduler.queued]).toEqual([1, 1])
  await bench.drain()
  expect(bench.outcome(first)).toMatchObject({ reason: 'length', outputTokens: 500 })
  expect(bench.outcome(second).reason).toBeDefined()
})

test('without a bound an answer goes on to the end of the context', async () => {
  const bench = await aBench({ cells: 2_048, contextTokens: 1_500, maxConcurrent: 2 })
  const random = createRandom(18)
  const sampling = { ...greedy, logitBias: bans() }
  const ids = [0, 1].map(() => bench.submit({ prompt: randomPrompt(random, 50), maxTokens: undefined, sampling }))
  await bench.drain()
  const lengths = ids.map((id) => bench.outcome(id).outputTokens)
  expect(Math.max(...lengths)).toBe(1_450)
  for (const id of ids) expect(bench.outcome(id).reason).toBe('length')
})

test('large bounds on the output hold nobody up', async () => {
  const bench = await aBench({ cells: 16_384, contextTokens: 16_000, maxConcurrent: 8 })
  const random = createRandom(26)
  const sampling = { ...greedy, logitBias: bans() }
  const large = Array.from({ length: 4 }, () =>
    bench.submit({ prompt: randomPrompt(random, 40), maxTokens: 15_000, sampling }),
  )
  const small = bench.submit({ prompt: randomPrompt(random, 40), maxTokens: 4, sampling })
  for (let step = 0; step < 8; step++) await bench.scheduler.step()
  expect(bench.started).toEqual([...large, small])
  expect(bench.outcome(small)).toMatchObject({ reason: 'length', outputTokens: 4 })
  expect([bench.scheduler.running, bench.scheduler.queued]).toEqual([4, 0])
})

test.for(['on', 'off'] as const)(
  'F-5 answers that do not fit together are paused, never cut: prefix cache %s',
  async (prefixCache) => {
    const bench = await aBench({ cells: 4_112, contextTokens: 4_000, maxConcurrent: 8 })
    const random = createRandom(27)
    const sampling = { ...greedy, logitBias: bans() }
    const requests = Array.from({ length: 3 }, (_, at) => ({
      prompt: randomPrompt(random, 100 + at),
      maxTokens: 2_000 + at,
      sampling,
      prefixCache,
    }))
    const ids = requests.map((request) => bench.submit(request))
    const late = bench.submit({ prompt: randomPrompt(random, 50), maxTokens: 1, sampling })
    await bench.drain()
    expect(bench.started).toEqual([...ids, late])
    for (const [at, request] of requests.entries()) {
      const alone = await bench.run({ ...request, prefixCache: 'off' })
      const together = bench.outcome(ids[at] ?? '')
      expect(together).toMatchObject({ reason: 'length', outputTokens: 2_000 + at, text: alone.text })
      expect(together.prompt).toMatchObject({ promptTokens: 100 + at, evaluatedTokens: 100 + at })
      expect(bench.events(ids[at] ?? '').filter(({ kind }) => kind === 'prompt')).toHaveLength(1)
    }
    expect(bench.scheduler.counters).toMatchObject({ evaluatedTokens: 2 * 303 + 50, promptTokens: 2 * 303 + 50 })
  },
)

test('cancelling frees the cells at once, keeps what was evaluated, and sends nothing more', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(19), 1_000)
  const id = bench.submit({ prompt, maxTokens: 500 })
  await bench.scheduler.step()
  await bench.scheduler.step()
  bench.scheduler.cancel(id)
  expect(bench.scheduler.running).toBe(0)
  expect(bench.events(id)).toEqual([])
  expect(bench.cache.find('a', prompt)).toBe(496) // two batches that end where attention ends a step: 512 cells, 16 of them before the first page
  await bench.scheduler.reset('')
  expect(bench.cache.arena.freePages).toBe(bench.cache.arena.pages)
})

test('cancelling while a batch is evaluated takes effect behind it', async () => {
  const bench = await aBench()
  const id = bench.submit({ prompt: randomPrompt(createRandom(20), 600) })
  const step = bench.scheduler.step()
  bench.scheduler.cancel(id)
  const reset = bench.scheduler.reset('')
  await step
  await reset
  expect(bench.scheduler.running).toBe(0)
  expect(bench.cache.arena.freePages).toBe(bench.cache.arena.pages)
})

test('a prompt over the context and a request too many are refused with the numbers', async () => {
  const bench = await aBench({ contextTokens: 100, maxConcurrent: 1, maxQueued: 1 })
  const random = createRandom(21)
  const tooLong = catching(() => bench.submit({ prompt: randomPrompt(random, 100) }))
  expect(tooLong).toMatchObject({ code: 'context_overflow', message: 'prompt is 100 tokens, 99 allowed' })
  bench.submit({ prompt: randomPrompt(random, 99) })
  bench.submit({ prompt: randomPrompt(random, 10) })
  const tooMany = catching(() => bench.submit({ prompt: randomPrompt(random, 10) }))
  expect(tooMany).toMatchObject({ code: 'overloaded', retryAfterSeconds: expect.any(Number) })
  await bench.drain()
})

test('a bias for a token the model does not have is refused before anything is queued', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(24), 20)
  const beyond = model.facts.vocabularySize
  const refused = catching(() => bench.submit({ prompt, sampling: { ...greedy, logitBias: { [beyond]: 1 } } }))
  expect(refused).toMatchObject({
    code: 'invalid_request',
    param: '/logit_bias',
    message: `/logit_bias names token ${beyond}, ids from 0 to ${beyond - 1} allowed`,
  })
  expect([bench.scheduler.running, bench.scheduler.queued]).toEqual([0, 0])
})

test('a stop string inside a longer one that never ends still stops the answer', async () => {
  const bench = await aBench()
  const prompt = randomPrompt(createRandom(25), 60)
  const sampling = { ...greedy, logitBias: bans() }
  const whole = await bench.run({ prompt, sampling, maxTokens: 12 })
  expect(whole.reason).toBe('length')
  const inner = whole.text.slice(4, 8)
  const stopped = await bench.run({ prompt, sampling, maxTokens: 12, stop: [inner, `${whole.text}and so on`] })
  expect(stopped.reason).toBe('stop')
  expect(stopped.text).toBe(whole.text.slice(0, whole.text.indexOf(inner)))
})

test('logits that are no numbers end the request, and nothing of its scope stays', async () => {
  const bench = await aBench()
  const random = createRandom(22)
  const prompt = randomPrompt(random, 200)
  await bench.run({ prompt })
  const logits = bench.context.logits.bind(bench.context)
  bench.context.logits = (row) => logits(row).slice().fill(Number.NaN, 5, 6)
  const broken = await bench.run({ prompt: Int32Array.of(...prompt, ...randomPrompt(random, 20)) })
  expect(broken.error).toMatchObject({ code: 'engine_failed' })
  expect(broken.text).toBe('')
  bench.context.logits = logits
  expect(bench.cache.find('a', prompt)).toBe(0)
  expect((await bench.run({ prompt })).reason).toBeDefined()
})

test('a model whose state cannot be cut is served without reuse, with the same answers', async () => {
  const bench = await aBench({ uncacheable: 'a reason' })
  const prompt = randomPrompt(createRandom(60), 400)
  const first = await bench.run({ prompt, maxTokens: 8 })
  const second = await bench.run({ prompt, maxTokens: 8 })
  expect([first.prompt?.cachedTokens, second.prompt?.cachedTokens]).toEqual([0, 0])
  expect(second.text).toBe(first.text)
  expect(bench.cache.disabled).toBe('a reason')
})

test('F-5 D-55 a sliding-window model cut anywhere gives the tokens of a cold run: hot, from RAM and under pressure', async () => {
  const sliding = tinyModel(temporaryDirectory(), 'tinySlidingWindow')
  const random = createRandom(61)
  const someOf = (count: number): Int32Array =>
    Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 400))
  const conversation = someOf(700)
  const prompts = Array.from({ length: 24 }, () => {
    const cut = 1 + Math.floor(random() * conversation.length)
    return Int32Array.of(...conversation.subarray(0, cut), ...someOf(1 + Math.floor(random() * 30)))
  })
  const answersWith = async (options: BenchOptions, prefixCache: 'on' | 'off') => {
    const bench = await SchedulerBench.of(sliding, options)
    const answers: unknown[] = []
    for (let at = 0; at < prompts.length; at += 4) {
      const ids = prompts.slice(at, at + 4).map((prompt) => bench.submit({ prompt, maxTokens: 8, prefixCache }))
      await bench.drain()
      answers.push(...ids.map((id) => bench.outcome(id).text))
      if (options.ramBytes !== undefined) await bench.settle()
    }
    const { cachedTokens, promptTokens } = bench.scheduler.counters
    bench.close()
    return { answers, cachedTokens, promptTokens }
  }
  const off = await answersWith({ maxConcurrent: 1 }, 'off')
  expect(off.cachedTokens).toBe(0)
  const hot = await answersWith({}, 'on')
  const ram = await answersWith({ ramBytes: 2 ** 24, hotCells: 0 }, 'on')
  const pressure = await answersWith({ cells: 2_048, contextTokens: 1_024, maxConcurrent: 2 }, 'on')
  for (const mode of [hot, ram, pressure]) {
    expect(mode.answers).toEqual(off.answers)
    expect(mode.cachedTokens).toBeGreaterThan(off.promptTokens / 3)
  }
  expect(new Set(off.answers).size).toBeGreaterThan(12)
  sliding.close()
})

/** No token that ends the answer may be chosen. */
function bans(): Record<number, number> {
  const ends = Array.from({ length: model.facts.vocabularySize }, (_, token) => token).filter((token) =>
    model.endsGeneration(token),
  )
  return Object.fromEntries(ends.map((token) => [token, -1_000]))
}

function catching(action: () => unknown): IncipitError {
  try {
    action()
  } catch (error) {
    if (IncipitError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
