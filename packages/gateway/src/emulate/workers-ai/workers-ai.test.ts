import OpenAI from 'openai'
import { expect, test } from 'vitest'
import type { Emulator } from '../start-emulator.ts'
import { anEmulator, post, textOfTokens } from '../testing/emulators.ts'

const base = '/client/v4/accounts/abc/ai'
const model = '@cf/moonshotai/kimi-k2.5'
const messages = [{ role: 'user', content: textOfTokens(1_000) }]

async function cachedOf(
  emulator: Emulator,
  headers: Record<string, string> = {},
  path: string = `${base}/run/${model}`,
): Promise<number> {
  const { json } = await post(emulator, path, { messages, model }, headers)
  const { usage } = (json['result'] ?? json) as { usage: { prompt_tokens_details: { cached_tokens: number } } }
  return usage.prompt_tokens_details.cached_tokens
}

test('CF-4 an answer comes in the envelope of the API', async () => {
  const emulator = await anEmulator({ kind: 'workers-ai' })
  const { json } = await post(emulator, `${base}/run/${model}`, { messages: [{ role: 'user', content: 'hello' }] })
  expect(json).toMatchObject({
    success: true,
    errors: [],
    messages: [],
    result: { response: expect.any(String), usage: { prompt_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } } },
  })
})

test('CF-3 x-session-affinity reaches one instance; without it requests go round', async () => {
  const emulator = await anEmulator({ kind: 'workers-ai', options: { replicas: 2 } })
  expect(await cachedOf(emulator, { 'x-session-affinity': 'a' })).toBe(0)
  expect(await cachedOf(emulator, { 'x-session-affinity': 'a' })).toBe(992)
  expect(await cachedOf(emulator, { 'x-session-affinity': 'a' }, `${base}/v1/chat/completions`)).toBe(992)
  emulator.reset()
  const round = [await cachedOf(emulator), await cachedOf(emulator), await cachedOf(emulator)]
  expect(round).toEqual([0, 0, 992])
})

test('CF-8 models without a price for cached input, other accounts and short prompts read nothing', async () => {
  const emulator = await anEmulator({ kind: 'workers-ai', options: { replicas: 1 } })
  await cachedOf(emulator)
  expect(await cachedOf(emulator)).toBe(992)
  expect(await cachedOf(emulator, {}, `/client/v4/accounts/other/ai/run/${model}`)).toBe(0)
  const llama = `${base}/run/@cf/meta/llama-3.3-70b-instruct-fp8-fast`
  await cachedOf(emulator, {}, llama)
  expect(await cachedOf(emulator, {}, llama)).toBe(0)
  const short = { messages: [{ role: 'user', content: textOfTokens(14) }] }
  await post(emulator, `${base}/run/${model}`, short)
  expect((await post(emulator, `${base}/run/${model}`, short)).json).toMatchObject({
    result: { usage: { prompt_tokens_details: { cached_tokens: 0 } } },
  })
})

test('a stream of ai/run spells the same answer and ends with usage', async () => {
  const emulator = await anEmulator({ kind: 'workers-ai' })
  const asked = { prompt: 'hello' }
  const { json } = await post(emulator, `${base}/run/${model}`, asked)
  const { text } = await post(emulator, `${base}/run/${model}`, { ...asked, stream: true })
  const lines = text
    .split('\n\n')
    .filter((line) => line !== '')
    .map((line) => line.slice('data: '.length))
  expect(lines.pop()).toBe('[DONE]')
  const events = lines.map((line) => JSON.parse(line) as { response: string; usage?: object })
  const { response, usage } = json['result'] as { response: string; usage: object }
  expect(events.map((event) => event.response).join('')).toBe(response)
  expect(events.at(-1)?.usage).toMatchObject({ prompt_tokens: (usage as { prompt_tokens: number }).prompt_tokens })
})

test('tools and schemas work in ai/run and with the official OpenAI client', async () => {
  const emulator = await anEmulator({ kind: 'workers-ai' })
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const { json } = await post(emulator, `${base}/run/${model}`, { messages, tools: [{ name: 'find', parameters }] })
  expect(json).toMatchObject({ result: { tool_calls: [{ name: 'find', arguments: { city: 'city' } }] } })
  const client = new OpenAI({ baseURL: `${emulator.url}${base}/v1`, apiKey: 'test', maxRetries: 0 })
  const answer = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'x' }],
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema: parameters } },
  })
  expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'city' })
})

test('errors come in the envelope with their numbers', async () => {
  const emulator = await anEmulator({ kind: 'workers-ai' })
  const codeOf = async (path: string, body: unknown): Promise<[number, unknown]> => {
    const { status, json } = await post(emulator, path, body)
    expect(json).toMatchObject({ success: false, result: null, messages: [] })
    return [status, (json['errors'] as { code: number }[])[0]?.code]
  }
  expect(await codeOf(`${base}/run/none`, { messages })).toEqual([400, 5_007])
  expect(await codeOf(`${base}/run/${model}`, {})).toEqual([400, 5_006])
  expect(await codeOf('/client/v4/none', {})).toEqual([404, 7_003])
  const anonymous = await fetch(`${emulator.url}${base}/run/${model}`, { method: 'POST', body: '{}' })
  expect(anonymous.status).toBe(401)
})
