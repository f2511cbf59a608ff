import { setMaxListeners } from 'node:events'
import type { GenerationEvent, IncipitError, RequestId } from '@incipit/core'
import { requestId } from '@incipit/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine, EngineConfig, EngineRequest } from '../engine.ts'
import { engineProcessId } from '../testing/engine-process-id.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import { temporaryDirectory } from '../testing/native-fixture.ts'
import { startEngine } from './engine-process.ts'

const config: EngineConfig = {
  models: [
    { name: 'demo', path: 'builtin:demo', aliases: [], contextTokens: 4_096 },
    { name: 'twin', path: 'builtin:demo', aliases: [], contextTokens: 4_096 },
  ],
  dataDir: temporaryDirectory(),
  threads: 1,
  flashAttention: 'auto',
  hotBytes: 'auto',
  ramBytes: 2 ** 24,
  minCachedTokens: 16,
  maxConcurrent: 8,
  maxQueued: 64,
}
const never = new AbortController().signal
setMaxListeners(200, never)
const story = 'The harbour lights went out one by one while the keeper counted ships. '.repeat(12)
let engine: Engine
let nextId = 0

beforeAll(async () => {
  const started = await startEngine(config)
  if (started.kind === 'unavailable') throw new Error(started.reason)
  engine = started.engine
})
afterAll(() => engine.close())

function aRequest(
  content: string,
  options: { model?: string; scopeKey?: string; maxTokens?: number } = {},
): EngineRequest {
  const id: RequestId = requestId(`req_${String(nextId++).padStart(24, '0')}`)
  const generation = { ...aGeneration([{ role: 'user', content }]), maxTokens: options.maxTokens ?? 8 }
  return { id, model: options.model ?? 'demo', scopeKey: options.scopeKey ?? 'a', generation, prefixCache: 'on' }
}

async function collect(events: AsyncIterable<GenerationEvent>) {
  const all: GenerationEvent[] = []
  for await (const event of events) all.push(event)
  const prompt = all.find((event) => event.kind === 'prompt')
  const text = all.map((event) => (event.kind === 'text-delta' ? event.text : '')).join('')
  return { all, prompt, text, finish: all.find((event) => event.kind === 'finish') }
}

test('CF-1 CF-8 a warm request evaluates only what is new, and says so before the text', async () => {
  const cold = await collect(engine.generate(aRequest(`${story} one`), never))
  const warm = await collect(engine.generate(aRequest(`${story} two`), never))
  expect(cold.prompt?.cachedTokens).toBe(0)
  expect(cold.all[0]?.kind).toBe('prompt')
  expect(cold.all.at(-1)?.kind).toBe('finish')
  const { promptTokens = 0, cachedTokens = 0, evaluatedTokens } = warm.prompt ?? {}
  expect(cachedTokens).toBeGreaterThan(100)
  expect(evaluatedTokens).toBe(promptTokens - cachedTokens)
  const tokens = await engine.tokenize('demo', aRequest(`${story} two`).generation)
  expect(tokens.length).toBe(promptTokens)
})

test('P-5 F-3 another model and another scope begin cold', async () => {
  await collect(engine.generate(aRequest(story), never))
  expect((await collect(engine.generate(aRequest(story, { model: 'twin' }), never))).prompt?.cachedTokens).toBe(0)
  expect((await collect(engine.generate(aRequest(story, { scopeKey: 'b' }), never))).prompt?.cachedTokens).toBe(0)
})

test('F-4 a reset reaches the chosen model and reports what it dropped', async () => {
  await collect(engine.generate(aRequest(story, { scopeKey: 'reset-me' }), never))
  const dropped = await engine.reset({ model: 'demo', scopePrefix: 'reset-' })
  expect(dropped.hotTokens).toBeGreaterThan(100)
  expect(dropped.bytes).toBeGreaterThan(dropped.hotTokens)
  expect(await engine.reset({ scopePrefix: 'reset-' })).toMatchObject({ hotTokens: 0, bytes: 0 })
})

test('32 generations at once all finish', async () => {
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, index) =>
      collect(engine.generate(aRequest(`Question ${index}`, { maxTokens: 24 }), never)),
    ),
  )
  for (const answer of answers) expect(answer.finish?.reason).toMatch(/^(stop|length)$/)
  expect(await engine.stats()).toMatchObject({ running: 0, queued: 0 })
})

test('an aborted generation frees its place', async () => {
  const controller = new AbortController()
  const events = engine.generate(aRequest(story, { maxTokens: 3_000 }), controller.signal)[Symbol.asyncIterator]()
  await events.next()
  controller.abort(new Error('client went away'))
  await expect(drained(events)).rejects.toThrow('client went away')
  await expect.poll(async () => (await engine.stats()).running).toBe(0)
})

test('refusals arrive with code and numbers', async () => {
  const long = collect(engine.generate(aRequest(story.repeat(30)), never))
  await expect(long).rejects.toMatchObject({
    code: 'context_overflow',
    message: expect.stringContaining('4095 allowed'),
  })
  await expect(collect(engine.generate(aRequest('x', { model: 'none' }), never))).rejects.toMatchObject({
    code: 'unknown_model',
  })
  const started = performance.now()
  await expect(collect(engine.generate(aRequest(' '.repeat(20_000_000)), never))).rejects.toMatchObject({
    code: 'context_overflow',
    message: expect.stringMatching(/^prompt is 20000000 bytes of text, \d+ allowed by a context of 4096 tokens$/),
  })
  expect(performance.now() - started).toBeLessThan(2_000)
  const crowd = await Promise.allSettled(
    Array.from({ length: 80 }, () => collect(engine.generate(aRequest('crowd', { maxTokens: 40 }), never))),
  )
  const refused = crowd.filter((one) => one.status === 'rejected').map((one) => one.reason as IncipitError)
  expect(refused.length).toBeGreaterThan(0)
  for (const error of refused)
    expect(error).toMatchObject({ code: 'overloaded', retryAfterSeconds: expect.any(Number) })
})

test('the budget holds weights, KV, pools and 300 MiB', async () => {
  const stats = await engine.stats()
  expect(stats.budgetBytes).toBeGreaterThan(300 * 2 ** 20 + config.ramBytes)
  expect(stats.residentBytes).toBeLessThan(stats.budgetBytes)
  expect(stats.models.map(({ name, prefixCacheOff }) => [name, prefixCacheOff])).toEqual([
    ['demo', undefined],
    ['twin', undefined],
  ])
})

test('a native crash fails what is in flight, and the next request is served', async () => {
  const before = (await engine.stats()).restarts
  const events = engine.generate(aRequest(story, { maxTokens: 3_000 }), never)[Symbol.asyncIterator]()
  await events.next()
  process.kill(engineProcessId(), 'SIGSEGV')
  await expect(drained(events)).rejects.toMatchObject({ code: 'engine_failed' })
  const after = await collect(engine.generate(aRequest(story), never))
  expect(after.prompt?.cachedTokens).toBe(0)
  expect(after.finish).toBeDefined()
  expect((await engine.stats()).restarts).toBe(before + 1)
})

test('a model that is not there is refused in plain words', async () => {
  const models = [{ name: 'gone', path: '/nowhere/model.gguf', aliases: [] }]
  await expect(startEngine({ ...config, models })).rejects.toThrow('/nowhere/model.gguf')
  const tight = [{ name: 'demo', path: 'builtin:demo', aliases: [], contextTokens: 4_096 }]
  await expect(startEngine({ ...config, models: tight, hotBytes: 1_000 })).rejects.toThrow('1000 allowed')
})

async function drained(events: AsyncIterator<GenerationEvent>): Promise<void> {
  while ((await events.next()).done !== true);
}
