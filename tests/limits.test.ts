import Anthropic, { RateLimitError as AnthropicRateLimitError } from '@anthropic-ai/sdk'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI, { RateLimitError } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { adminLine, aKey, ask, chat, chatStatus } from './support/keys.ts'
import type { Providers } from './support/providers.ts'
import { answerForEver, startProviders } from './support/providers.ts'
import { answerShortly, chatStream } from './support/recording-upstream.ts'

const config = `keys:
${adminLine}
  - { key: key-of-the-file, org: acme, name: file, limits: { rpm: 2 } }
orgs:
  - { name: crowd, limits: { rpm: 3 } }
`
let providers: Providers
let gateway: ServerProcess

beforeAll(async () => {
  providers = await startProviders({ config, engine: false, flags: ['--test-clock'] })
  gateway = providers.gateway
})
afterAll(() => providers.stop())

const advance = (ms: number): Promise<unknown> => ask(gateway, '/admin/clock', { body: { advance_ms: ms } })
const minute = 60_000

/** Resolves when the head of an answer is there. */
const sendStreaming = (key: string, signal: AbortSignal): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-recorded', stream: true, messages: [{ role: 'user', content: 'a' }] }),
    signal,
  })

test('of 50 requests at the same time, 10 get through a limit of 10 a minute, and 10 more a minute later', async () => {
  const { key } = await aKey(gateway, { limits: { rpm: 10 } })
  const burst = async (): Promise<Record<number, number>> => {
    const statuses = await Promise.all(Array.from({ length: 50 }, () => chatStatus(gateway, key)))
    return Object.fromEntries([200, 429].map((status) => [status, statuses.filter((seen) => seen === status).length]))
  }
  expect(await burst()).toEqual({ 200: 10, 429: 40 })
  await advance(minute)
  expect(await burst()).toEqual({ 200: 10, 429: 40 })
})

test('keys of the file have limits, too, and a PATCH changes those of others at once', async () => {
  expect([await chatStatus(gateway, 'key-of-the-file'), await chatStatus(gateway, 'key-of-the-file')]).toEqual([
    200, 200,
  ])
  expect(await chatStatus(gateway, 'key-of-the-file')).toBe(429)
  const { id, key } = await aKey(gateway, { limits: { rpm: 1 } })
  expect([await chatStatus(gateway, key), await chatStatus(gateway, key)]).toEqual([200, 429])
  await ask(gateway, `/v1/keys/${id}`, { method: 'PATCH', body: { limits: { rpm: 2 } } })
  expect([await chatStatus(gateway, key), await chatStatus(gateway, key)]).toEqual([200, 429])
})

test('all keys of an organisation share its limits', async () => {
  const [one, two] = [await aKey(gateway, { org: 'crowd' }), await aKey(gateway, { org: 'crowd' })]
  const statuses = [one, two, one, two].map(
    ({ key }) =>
      () =>
        chatStatus(gateway, key),
  )
  const seen: number[] = []
  for (const status of statuses) seen.push(await status())
  expect(seen).toEqual([200, 200, 200, 429])
  expect((await chat(gateway, two.key)).text).toContain('organisation \\"crowd\\" has sent 3 requests')
})

test('limits of the file change without a restart, and what a minute has counted stays counted', async () => {
  const { key } = await aKey(gateway, { org: 'reloaded' })
  expect(await chatStatus(gateway, key)).toBe(200)
  const reload = async (rpm: number): Promise<unknown> => {
    const file = join(gateway.dataDir, 'incipit.yaml')
    const text = readFileSync(file, 'utf8').replace(/ *- \{ name: reloaded.*\n/, '')
    writeFileSync(file, text.replace('orgs:\n', `orgs:\n  - { name: reloaded, limits: { rpm: ${rpm} } }\n`))
    return (await ask(gateway, '/admin/reload', { method: 'POST' })).json['outcome']
  }
  const accepted = expect.stringMatching(/^(applied|unchanged)$/)
  expect(await reload(1)).toEqual(accepted)
  expect([await chatStatus(gateway, key), await chatStatus(gateway, key)]).toEqual([200, 429])
  expect(await reload(2)).toEqual(accepted)
  expect([await chatStatus(gateway, key), await chatStatus(gateway, key)]).toEqual([200, 429])
})

test('official clients see their own error for a rate limit, with the time to wait', async () => {
  const { key } = await aKey(gateway, { limits: { rpm: 1 } })
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 })
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'hello' }]
  await openai.chat.completions.create({ model: 'gpt-5.4', messages })
  const caught = [
    await openai.chat.completions.create({ model: 'gpt-5.4', messages }).catch((error: unknown) => error),
    await openai.chat.completions.create({ model: 'gpt-5.4', messages, stream: true }).catch((error: unknown) => error),
    await openai.responses.create({ model: 'gpt-5.4', input: 'hello' }).catch((error: unknown) => error),
  ]
  for (const error of caught) {
    expect(error).toBeInstanceOf(RateLimitError)
    const { headers, code, type } = error as RateLimitError
    expect([code, type]).toEqual(['rate_limit_exceeded', 'rate_limit_error'])
    const wait = Number(headers?.get('retry-after'))
    expect(wait >= 1 && wait <= 60).toBe(true)
    expect(headers?.get('x-ratelimit-limit-requests')).toBe('1')
  }
  const refused: unknown = await anthropic.messages
    .create({ model: 'claude-opus-5', max_tokens: 5, messages })
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(AnthropicRateLimitError)
  expect(refused).toMatchObject({ error: { type: 'error', error: { type: 'rate_limit_error', code: 'rate_limited' } } })
  const workers = await ask(gateway, '/client/v4/accounts/a/ai/run/gpt-5.4', { key, body: { prompt: 'hello' } })
  expect([workers.status, workers.json]).toMatchObject([429, { success: false, errors: [{ code: 3040 }] }])
})

test('a client that repeats by itself waits as long as it is told, and gets through', async () => {
  const { key } = await aKey(gateway, { limits: { parallel: 1 } })
  const waiting = answerForEver(providers.recorder, `${chatStream.split('\n\n')[0]}\n\n`)
  const leaving = new AbortController()
  await sendStreaming(key, leaving.signal)
  const refused = await chat(gateway, key)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 5 })
  const patient = client.chat.completions.create({ model: 'gpt-5.4', messages: [{ role: 'user', content: 'b' }] })
  leaving.abort()
  await waiting
  expect((await patient).choices).toHaveLength(1)
  providers.recorder.answer = answerShortly
})

test('a slot is free again however a request ended: refused, failed, or left by its client', async () => {
  const { key } = await aKey(gateway, { limits: { parallel: 1 } })
  expect(await chatStatus(gateway, key, 'nobody-serves-this')).toBe(404)
  providers.recorder.answer = (_request, response) => void response.writeHead(400).end('{}')
  expect(await chatStatus(gateway, key, 'gpt-recorded')).toBe(400)
  providers.recorder.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatStream.slice(0, 300))
    setImmediate(() => response.destroy())
  }
  expect(await chatStatus(gateway, key, 'gpt-recorded')).not.toBe(429)
  const left = answerForEver(providers.recorder, `${chatStream.split('\n\n')[0]}\n\n`)
  const leaving = new AbortController()
  await sendStreaming(key, leaving.signal)
  leaving.abort()
  await left
  providers.recorder.answer = answerShortly
  await expect.poll(() => chatStatus(gateway, key)).toBe(200)
})

test('tokens are estimated from the text before, and corrected with what was used after', async () => {
  const { key } = await aKey(gateway, { limits: { tpm: 2_000 } })
  const used = async (more: object): Promise<number> => {
    const { json } = await chat(gateway, key, more)
    return (json['usage'] as { total_tokens: number }).total_tokens
  }
  // A picture is no text: these 40,000 bytes would be 10,000 tokens.
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(40_000)}` } }
  const first = await chat(gateway, key, {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'what is this?' }, picture] }],
  })
  expect(first.status).toBe(200)
  await advance(minute)
  const spent = await used({ messages: [{ role: 'user', content: 'hello '.repeat(20) }] })
  const next = await chat(gateway, key)
  const left = Number(next.headers.get('x-incipit-ratelimit-remaining-tokens'))
  const estimate = 2_000 - spent - left
  // What the first one used has replaced its estimate: only the second one is estimated now.
  expect(estimate > 0 && estimate < 60).toBe(true)
  const large = await chat(gateway, key, { messages: [{ role: 'user', content: 'x'.repeat(9_000) }] })
  expect([large.status, large.headers.get('x-should-retry')]).toEqual([429, 'false'])
  expect(large.text).toContain('is allowed 2000 a minute')
  const some = await chat(gateway, key, { messages: [{ role: 'user', content: 'x'.repeat(7_600) }] })
  expect([some.status, Number(some.headers.get('retry-after')) > 0]).toEqual([429, true])
  expect(some.text).toMatch(/has used \d+ tokens within a minute, 2000 are allowed/)
})

test('a request that failed gives back the tokens it was taken for', async () => {
  const { key } = await aKey(gateway, { limits: { tpm: 1_000 } })
  const body = { messages: [{ role: 'user', content: 'x'.repeat(3_000) }] }
  for (let round = 0; round < 3; round++) {
    expect((await chat(gateway, key, { ...body, model: 'nobody-serves-this' })).status).toBe(404)
  }
  expect((await chat(gateway, key, body)).status).toBe(200)
})

test('uncached: what a prefix cache answered does not count', async () => {
  const text = `A long opening that stays. ${'It says the same in every turn, word for word. '.repeat(200)}`
  const body = {
    model: 'claude-opus-5',
    max_tokens: 5,
    system: [{ type: 'text', text, cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: 'hello' }],
  }
  const all = await aKey(gateway, { limits: { tpm: 5_000 }, org: 'uncached' })
  const uncached = await aKey(gateway, { limits: { tpm: 5_000, tpm_counts: 'uncached' }, org: 'uncached' })
  const send = (key: string): Promise<{ status: number }> => ask(gateway, '/v1/messages', { key, body })
  const [warm] = [await send((await aKey(gateway, { org: 'uncached' })).key)]
  expect(warm.status).toBe(200)
  const statuses = async (key: string): Promise<number[]> => {
    const seen: number[] = []
    for (let round = 0; round < 6; round++) seen.push((await send(key)).status)
    return seen
  }
  expect(await statuses(uncached.key)).toEqual([200, 200, 200, 200, 200, 200])
  expect(await statuses(all.key)).toContain(429)
})

test('headers say how limits stand; those of the upstream are left alone', async () => {
  const { key } = await aKey(gateway, { limits: { rpm: 5, tpm: 100_000 } })
  const plain = await chat(gateway, key, { model: 'gpt-recorded' })
  expect(plain.headers.get('x-incipit-ratelimit-remaining-requests')).toBe('4')
  expect(plain.headers.get('x-ratelimit-remaining-requests')).toBe('4')
  expect(plain.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+s$/)
  providers.recorder.answer = (request, response) => {
    response.setHeader('x-ratelimit-remaining-requests', '77')
    return answerShortly(request, response)
  }
  const named = await chat(gateway, key, { model: 'gpt-recorded' })
  providers.recorder.answer = answerShortly
  expect(named.headers.get('x-ratelimit-remaining-requests')).toBe('77')
  expect(named.headers.get('x-ratelimit-limit-tokens')).toBeNull()
  expect(named.headers.get('x-incipit-ratelimit-remaining-requests')).toBe('3')
  const free = await aKey(gateway)
  const unlimited = await chat(gateway, free.key, { model: 'gpt-recorded' })
  expect([...unlimited.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([])
})

test('what a limit refused is counted by its code, and leaves no row', async () => {
  const { key, name } = await aKey(gateway, { limits: { rpm: 0 } })
  expect(await chatStatus(gateway, key)).toBe(429)
  const { text } = await ask(gateway, '/metrics')
  expect(text).toMatch(/incipit_refused_total\{dialect="openai-chat",code="rate_limited"\} [1-9]/)
  expect(text).toMatch(/incipit_limited_total\{kind="rpm"\} [1-9]/)
  expect((await ask(gateway, `/v1/events?key=${name}`)).json['data']).toEqual([])
})
