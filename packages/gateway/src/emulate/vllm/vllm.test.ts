import OpenAI from 'openai'
import { expect, test } from 'vitest'
import type { Emulator } from '../start-emulator.ts'
import { anEmulator, post, textOfTokens } from '../testing/emulators.ts'

const path = '/v1/chat/completions'
const ofTokens = (tokens: number): object => ({
  model: 'm',
  messages: [{ role: 'user', content: textOfTokens(tokens - 1) }],
})

async function cachedOf(emulator: Emulator, body: object): Promise<number | null | undefined> {
  const { status, json, text } = await post(emulator, path, body)
  expect(status, text).toBe(200)
  return (json['usage'] as { prompt_tokens_details: { cached_tokens: number } | null }).prompt_tokens_details
    ?.cached_tokens
}

async function metricsOf({ url }: Emulator): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const rows = [...text.matchAll(/^vllm:(\w+)\{[^}]*\} (\d+)$/gm)]
  return Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]))
}

test.each([
  [15, 0],
  [16, 0],
  [17, 16],
  [32, 16],
  [33, 32],
])('a repeated prompt of %i tokens reads %i: full blocks only, and never the last token', async (tokens, cached) => {
  const emulator = await anEmulator({ kind: 'vllm', options: { promptTokensDetails: true } })
  expect(await cachedOf(emulator, ofTokens(tokens))).toBe(0)
  expect(await cachedOf(emulator, ofTokens(tokens))).toBe(cached)
})

test('without --enable-prompt-tokens-details there is no details object, and the cache works all the same', async () => {
  const emulator = await anEmulator({ kind: 'vllm' })
  for (let turn = 0; turn < 2; turn += 1) expect(await cachedOf(emulator, ofTokens(100))).toBeUndefined()
  expect(await metricsOf(emulator)).toMatchObject({
    prefix_cache_queries_total: 200,
    prefix_cache_hits_total: 96,
    prompt_tokens_total: 200,
    prompt_tokens_cached_total: 96,
  })
})

test('D-52 salts do not share, and an empty one is refused', async () => {
  const emulator = await anEmulator({ kind: 'vllm', options: { promptTokensDetails: true } })
  await cachedOf(emulator, { ...ofTokens(100), cache_salt: 'a' })
  expect(await cachedOf(emulator, { ...ofTokens(100), cache_salt: 'b' })).toBe(0)
  expect(await cachedOf(emulator, ofTokens(100))).toBe(0)
  expect(await cachedOf(emulator, { ...ofTokens(100), cache_salt: 'a' })).toBe(96)
  for (const cache_salt of ['', 5]) {
    expect(await post(emulator, path, { ...ofTokens(100), cache_salt })).toMatchObject({
      status: 400,
      json: { error: { type: 'BadRequestError', param: 'cache_salt', code: 400 } },
    })
  }
})

test('prompt_logprobs does not read the cache, a reset empties it, nothing times out', async () => {
  const emulator = await anEmulator({ kind: 'vllm', options: { promptTokensDetails: true, blockSize: 32 } })
  await cachedOf(emulator, ofTokens(100))
  expect(await cachedOf(emulator, { ...ofTokens(100), prompt_logprobs: 1 })).toBe(0)
  emulator.advance(365 * 86_400_000)
  expect(await cachedOf(emulator, ofTokens(100))).toBe(96)
  expect((await post(emulator, '/reset_prefix_cache', '')).status).toBe(200)
  expect(await cachedOf(emulator, ofTokens(100))).toBe(0)
})

test('unknown fields are ignored: those of hosted providers do no harm', async () => {
  const emulator = await anEmulator({ kind: 'vllm' })
  const body = { ...ofTokens(20), prompt_cache_key: 'k', prompt_cache_options: {}, cache_control: {}, incipit: {} }
  expect((await post(emulator, path, body)).status).toBe(200)
})

test('models, health and errors', async () => {
  const emulator = await anEmulator({ kind: 'vllm', options: { models: ['served'], keys: { k: { org: 'a' } } } })
  expect((await fetch(`${emulator.url}/health`)).status).toBe(200)
  const client = new OpenAI({ baseURL: `${emulator.url}/v1`, apiKey: 'k', maxRetries: 0 })
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['served'])
  const messages = [{ role: 'user' as const, content: 'x' }]
  await expect(client.chat.completions.create({ model: 'other', messages })).rejects.toMatchObject({
    status: 404,
    code: 404,
  })
  const stream = client.chat.completions.stream({ model: 'served', messages, stream_options: { include_usage: true } })
  expect((await stream.finalChatCompletion()).usage?.prompt_tokens).toBe(2)
  expect((await post(emulator, path, { messages }, { authorization: 'Bearer other' })).status).toBe(401)
})
