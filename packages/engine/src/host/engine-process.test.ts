import { setMaxListeners } from 'node:events'
import type { GenerationEvent, IncipitError, RequestId } from '@incipit/core'
import { epochMs, requestId } from '@incipit/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine, EngineConfig, EngineRequest } from '../engine.ts'
import { engineProcessId, engineProcessIds } from '../testing/engine-process-id.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import { temporaryDirectory } from '../testing/native-fixture.ts'
import type { EngineTurn } from './engine-process.ts'
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
  diskBytes: 2 ** 26,
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
  engine = await started(config)
})
afterAll(() => engine.close())

async function started(settings: EngineConfig): Promise<Engine> {
  const start = await startEngine(settings)
  if (start.kind === 'unavailable') throw new Error(start.reason)
  return start.engine
}

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

test('F-3 another scope begins cold, and another instance of the model shares nothing but what is on disk', async () => {
  await collect(engine.generate(aRequest(story), never))
  const twin = await collect(engine.generate(aRequest(story, { model: 'twin' }), never))
  expect(twin.prompt?.tiers).toMatchObject({ hot: 0, ram: 0 })
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
  expect(performance.now() - started).toBeLessThan(20_000)
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
  expect(after.prompt?.tiers).toMatchObject({ hot: 0, ram: 0 })
  expect(after.finish).toBeDefined()
  expect((await engine.stats()).restarts).toBe(before + 1)
})

test('P-8 F-5 what was cached is there after a restart, from disk, and the answer is the same', async () => {
  const own = { ...config, dataDir: temporaryDirectory() }
  const first = await started(own)
  const cold = await collect(first.generate(aRequest(story, { maxTokens: 40 }), never))
  await first.close()
  const second = await started(own)
  try {
    const [stats] = (await second.stats()).models
    expect(stats?.disk).toMatchObject({ off: undefined, discarded: 0 })
    expect(stats?.disk.restored).toBeGreaterThan(2)
    const warm = await collect(second.generate(aRequest(story, { maxTokens: 40 }), never))
    expect(warm.prompt?.tiers).toMatchObject({ hot: 0, ram: 0 })
    expect(warm.prompt?.tiers.disk).toBeGreaterThan(200)
    expect(warm.text).toBe(cold.text)
    const again = await collect(second.generate(aRequest(story, { maxTokens: 40 }), never))
    expect(again.prompt?.tiers.hot).toBeGreaterThan(200)
    expect(again.text).toBe(cold.text)
    const third = await started(own)
    expect((await third.stats()).models[0]?.disk.off).toContain('in use by another process')
    await third.close()
  } finally {
    await second.close()
  }
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

test('P-3 a prefix is evaluated once and kept under a name, for its life, in its scope, by an injected clock', async () => {
  let now = Date.UTC(2026, 10, 20)
  const start = await startEngine({ ...config, dataDir: temporaryDirectory() }, { now: () => epochMs(now) })
  if (start.kind === 'unavailable') throw new Error(start.reason)
  const { engine: own } = start
  try {
    const generation = aGeneration([{ role: 'system', content: story }])
    const contents = { model: 'demo', scopeKey: 'a', generation, ttlMs: 3_600_000 }
    const pin = await own.pin(contents, never)
    expect(pin).toMatchObject({ model: 'demo', scopeKey: 'a', ttlMs: 3_600_000, reads: 0 })
    expect(pin.expiresAt).toBe(now + 3_600_000)

    const question = { ...generation, messages: [...generation.messages, { role: 'user' as const, content: 'Why?' }] }
    const { prompt } = await collect(
      own.generate({ ...aRequest(''), generation: { ...question, maxTokens: 2 } }, never),
    )
    expect(prompt?.cachedTokens).toBeGreaterThanOrEqual(pin.tokens)
    // Reading does not extend it: that takes a word.
    now += 3_599_000
    expect(await own.pins('a')).toMatchObject([{ id: pin.id, reads: 1, expiresAt: pin.expiresAt }])
    expect(await own.pins('b')).toEqual([])
    expect(await own.extendPin({ ...pin, scopeKey: 'b' }, 60_000)).toBeUndefined()
    expect(await own.extendPin(pin, 60_000)).toMatchObject({ expiresAt: now + 60_000 })
    now += 60_000
    expect(await own.pins()).toEqual([])
    expect(await own.extendPin(pin, 60_000)).toBeUndefined()

    const again = await own.pin(contents, never)
    expect(await own.unpin({ ...again, scopeKey: 'b' })).toBe(false)
    expect(await own.unpin(again)).toBe(true)
    expect((await own.stats()).models[0]?.pins).toEqual({ count: 0, tokens: 0, dropped: 0 })
    await own.pin(contents, never)
    await own.reset({ scopePrefix: 'a' })
    expect(await own.pins()).toEqual([])
  } finally {
    await own.close()
  }
})

test('what ends and what is back is told, an end that was asked for is not', async () => {
  const turns: EngineTurn[] = []
  const ports = { now: () => epochMs(0), onTurn: (turn: EngineTurn) => void turns.push(turn) }
  const before = engineProcessIds()
  const start = await startEngine({ ...config, dataDir: temporaryDirectory() }, ports)
  if (start.kind === 'unavailable') throw new Error(start.reason)
  const { engine: own } = start
  const running = own.generate(aRequest(story, { maxTokens: 2_000 }), never)[Symbol.asyncIterator]()
  expect((await running.next()).value).toMatchObject({ kind: 'prompt' })
  for (const pid of engineProcessIds()) if (!before.includes(pid)) process.kill(pid, 'SIGKILL')
  await expect(drained(running)).rejects.toMatchObject({ code: 'engine_failed' })
  await own.stats()
  await own.close()
  expect(turns).toEqual([
    {
      kind: 'ended',
      reason: 'the engine process ended (SIGKILL)',
      signal: 'SIGKILL',
      exitCode: undefined,
      requestsInFlight: 1,
      restartMs: 50,
    },
    { kind: 'back', restarts: 1, models: own.models },
  ])
})
