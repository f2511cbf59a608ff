import type { GenerationEvent } from '@incipit/core'
import { requestId } from '@incipit/core'
import { afterEach, expect, test } from 'vitest'
import type { Engine, EngineConfig } from '../engine.ts'
import { modelShapes, syntheticModel } from '../gguf/synthetic-model.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import { temporaryDirectory } from '../testing/native-fixture.ts'
import { startEngine } from './engine-process.ts'

const dataDir = temporaryDirectory()
const config: EngineConfig = {
  models: [
    { name: 'window', path: syntheticModel(modelShapes.tinySlidingWindow, dataDir), aliases: [], contextTokens: 2_048 },
    { name: 'recurrent', path: syntheticModel(modelShapes.tinyRecurrent, dataDir), aliases: [], contextTokens: 2_048 },
    { name: 'hybrid', path: syntheticModel(modelShapes.tinyHybrid, dataDir), aliases: [], contextTokens: 2_048 },
  ],
  dataDir,
  threads: 1,
  flashAttention: 'auto',
  hotBytes: 'auto',
  ramBytes: 3 * 2 ** 23,
  diskBytes: 2 ** 26,
  minCachedTokens: 16,
  maxConcurrent: 4,
  maxQueued: 64,
}

let engine: Engine | undefined
afterEach(async () => {
  await engine?.close()
})

async function start(): Promise<Engine> {
  const started = await startEngine(config)
  if (started.kind !== 'started') throw new Error(started.reason)
  return (engine = started.engine)
}

async function answer(to: Engine, model: string, question: string) {
  const generation = {
    ...aGeneration([
      { role: 'system', content: 'Be brief, and keep to what was asked. '.repeat(12) },
      { role: 'user', content: question },
    ]),
    maxTokens: 8,
  }
  const events: GenerationEvent[] = []
  const id = requestId(`${model}-${question}-${Math.random()}`)
  const request = { id, model, scopeKey: 'a', generation, prefixCache: 'on' as const }
  for await (const event of to.generate(request, new AbortController().signal)) events.push(event)
  const prompt = events.find((event) => event.kind === 'prompt')
  return { text: events.map((event) => (event.kind === 'text-delta' ? event.text : '')).join(''), prompt }
}

test('F-5 D-55 sliding-window, recurrent and hybrid models reuse, over a restart too, and say that they do', async () => {
  const first = await start()
  const cold = new Map<string, string>()
  for (const { name } of config.models) {
    const { text, prompt } = await answer(first, name, 'Who is there?')
    expect(prompt?.cachedTokens).toBe(0)
    cold.set(name, text)
    const sibling = await answer(first, name, 'What is it?')
    // The system message is shared.
    expect(sibling.prompt?.cachedTokens).toBeGreaterThan(100)
    const again = await answer(first, name, 'Who is there?')
    expect(again.text).toBe(text)
    expect(again.prompt?.cachedTokens).toBeGreaterThan(sibling.prompt?.cachedTokens ?? 0)
  }
  const { models, budgetBytes } = await first.stats()
  expect(models.map(({ prefixCacheOff, disk }) => [prefixCacheOff, disk.off])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
    [undefined, undefined],
  ])
  expect(budgetBytes).toBeGreaterThan(300 * 2 ** 20)
  await first.close()
  const second = await start()
  for (const { name } of config.models) {
    const { text, prompt } = await answer(second, name, 'Who is there?')
    expect(prompt?.tiers.disk).toBeGreaterThan(100)
    expect(text).toBe(cold.get(name))
  }
  expect((await second.reset({})).diskTokens).toBeGreaterThan(200)
  for (const name of ['recurrent', 'hybrid']) {
    expect((await answer(second, name, 'Who is there?')).prompt?.cachedTokens).toBe(0)
  }
})

test('models of every kind embed, beside answers that are generated; a request that is given up is dropped', async () => {
  const one = await start()
  const given = new AbortController()
  for (const { name } of config.models) {
    const embed = (id: string, inputs: readonly string[], signal = new AbortController().signal) =>
      one.embed({ id: requestId(`${name}-${id}`), model: name, inputs }, signal)
    const long = 'a long text that takes many batches '.repeat(40)
    const [{ text }, embedded, same] = await Promise.all([
      answer(one, name, 'Who is there?'),
      embed('one', ['a text', long, 'a text']),
      embed('two', ['a text', long, 'a text']),
    ])
    expect(text).not.toBe('')
    expect(embedded).toEqual(same)
    expect(embedded.vectors).toHaveLength(3)
    expect(embedded.tokens[1]).toBeGreaterThan(300)
  }
  const dropped = one.embed({ id: requestId('dropped'), model: 'window', inputs: ['x'] }, given.signal)
  given.abort(new Error('gone'))
  await expect(dropped).rejects.toThrow('gone')
  await expect(
    one.embed({ id: requestId('none'), model: 'nobody', inputs: ['x'] }, new AbortController().signal),
  ).rejects.toMatchObject({ code: 'unknown_model' })
})
