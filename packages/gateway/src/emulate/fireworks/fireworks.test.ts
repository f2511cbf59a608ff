import OpenAI from 'openai'
import { expect, test } from 'vitest'
import type { Emulator } from '../start-emulator.ts'
import { anEmulator, post, textOfTokens } from '../testing/emulators.ts'

const path = '/inference/v1/chat/completions'
const model = 'accounts/fireworks/models/kimi-k2p6'
const body = { model, messages: [{ role: 'user', content: textOfTokens(1_000) }], max_tokens: 20 }

async function cachedOf(emulator: Emulator, headers: Record<string, string> = {}, more: object = {}): Promise<number> {
  const { headers: answered, json } = await post(emulator, path, { ...body, ...more }, headers)
  const cached = Number(answered.get('fireworks-cached-prompt-tokens'))
  expect(json).toMatchObject({ usage: { prompt_tokens: 1_001, prompt_tokens_details: { cached_tokens: cached } } })
  expect(answered.get('fireworks-prompt-tokens')).toBe('1001')
  return cached
}

test('F-2 one affinity key always reaches the replica that knows its prompt', async () => {
  for (const [headers, more] of [
    [{ 'x-session-affinity': 's' }, {}],
    [{ 'x-multi-turn-session-id': 's' }, {}],
    [{}, { user: 's' }],
  ] as const) {
    const emulator = await anEmulator({ kind: 'fireworks' })
    expect(await cachedOf(emulator, headers, more)).toBe(0)
    for (let turn = 0; turn < 3; turn += 1) expect(await cachedOf(emulator, headers, more)).toBe(1_000 - (1_000 % 16))
  }
})

test('F-2 without an affinity key requests go round, and each replica is cold once', async () => {
  const emulator = await anEmulator({ kind: 'fireworks', options: { replicas: 3 } })
  const cached: number[] = []
  for (let turn = 0; turn < 6; turn += 1) cached.push(await cachedOf(emulator))
  expect(cached).toEqual([0, 0, 0, 992, 992, 992])
})

test('F-2 the session id goes before the affinity header, and that before user', async () => {
  const emulator = await anEmulator({ kind: 'fireworks', options: { replicas: 1_000 } })
  const all = { 'x-multi-turn-session-id': 'turns', 'x-session-affinity': 'session' }
  await cachedOf(emulator, all, { user: 'u' })
  expect(await cachedOf(emulator, { 'x-multi-turn-session-id': 'turns' })).toBe(992)
  expect(await cachedOf(emulator, { 'x-session-affinity': 'session' })).toBe(0)
  await cachedOf(emulator, { 'x-session-affinity': 'other' }, { user: 'u' })
  expect(await cachedOf(emulator, { 'x-session-affinity': 'other' })).toBe(992)
  expect(await cachedOf(emulator, {}, { user: 'u' })).toBe(0)
})

test('F-3 isolation keys do not share, whether in the header or in the body', async () => {
  const emulator = await anEmulator({ kind: 'fireworks', options: { replicas: 1 } })
  await cachedOf(emulator, { 'x-prompt-cache-isolation-key': 'a' })
  expect(await cachedOf(emulator, { 'x-prompt-cache-isolation-key': 'b' })).toBe(0)
  expect(await cachedOf(emulator)).toBe(0)
  expect(await cachedOf(emulator, {}, { prompt_cache_isolation_key: 'a' })).toBe(992)
})

test('F-7 serverless accounts do not share, the callers of a dedicated deployment do', async () => {
  for (const [dedicated, cached] of [
    [false, 0],
    [true, 992],
  ] as const) {
    const emulator = await anEmulator({ kind: 'fireworks', options: { replicas: 1, dedicated } })
    await cachedOf(emulator, { authorization: 'Bearer one' })
    expect(await cachedOf(emulator, { authorization: 'Bearer two' })).toBe(cached)
  }
})

test('F-1 an entry is gone an hour after its last use', async () => {
  const emulator = await anEmulator({ kind: 'fireworks', options: { replicas: 1 } })
  await cachedOf(emulator)
  emulator.advance(59 * 60_000)
  expect(await cachedOf(emulator)).toBe(992)
  emulator.advance(60 * 60_000)
  expect(await cachedOf(emulator)).toBe(0)
})

test('the official OpenAI client streams, with usage in the last chunk of content', async () => {
  const { url } = await anEmulator({ kind: 'fireworks' })
  const client = new OpenAI({ baseURL: `${url}/inference/v1`, apiKey: 'test', maxRetries: 0 })
  const request = { model, messages: [{ role: 'user' as const, content: 'hello' }] }
  const whole = await client.chat.completions.create(request)
  let text = ''
  let usage: unknown
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  expect(text).toBe(whole.choices[0]?.message.content)
  expect(usage).toMatchObject({ prompt_tokens: whole.usage?.prompt_tokens })
})

test('errors are worded as there: no key, no such model', async () => {
  const emulator = await anEmulator({ kind: 'fireworks' })
  expect((await fetch(`${emulator.url}${path}`, { method: 'POST' })).status).toBe(401)
  expect(await post(emulator, path, { ...body, model: 'x' })).toMatchObject({
    status: 404,
    json: { error: { code: 'NOT_FOUND' } },
  })
  expect(await post(emulator, path, { model })).toMatchObject({ status: 400, json: { error: { param: 'messages' } } })
})
