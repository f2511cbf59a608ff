import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { aConversation, eventOf, uniqueText } from './support/prompts.ts'

let server: ServerProcess
let client: OpenAI

beforeAll(async () => {
  server = await startServerProcess()
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0 })
})
afterAll(() => server.stop())

test('CF-1 CF-2 CF-8 a repeated opening is not evaluated again: the engine counts what it evaluated', async () => {
  const messages = aConversation()
  const first = await complete(messages)
  expect(first.usage.prompt_tokens_details?.cached_tokens).toBe(0)
  expect(first.event.evaluated_tokens).toBe(first.usage.prompt_tokens)

  const next = [
    ...messages,
    { role: 'assistant', content: first.text },
    { role: 'user', content: 'And then?' },
  ] as const
  const second = await complete(next)
  const cached = second.usage.prompt_tokens_details?.cached_tokens ?? 0
  expect(cached).toBeGreaterThan(first.usage.prompt_tokens * 0.9)
  expect(second.event.evaluated_tokens).toBe(second.usage.prompt_tokens - cached)
  expect(second.event.cached_input_tokens).toBe(cached)
})

test('CF-6 one differing token invalidates from there on, and only from there', async () => {
  const opening = uniqueText(400)
  const prompt = (middle: string): OpenAI.ChatCompletionMessageParam[] => [
    { role: 'system', content: `${opening} ${middle} ${opening}` },
    { role: 'user', content: 'Go on.' },
  ]
  const first = await complete(prompt('alpha'))
  const again = await complete(prompt('alpha'))
  const changed = await complete(prompt('omega'))
  const [full, part] = [again, changed].map((answer) => answer.usage.prompt_tokens_details?.cached_tokens ?? 0)
  expect(full).toBe(first.usage.prompt_tokens - 1)
  expect(part).toBeGreaterThan(first.usage.prompt_tokens * 0.4)
  expect(part).toBeLessThan(first.usage.prompt_tokens * 0.6)
})

test('CF-8 a prompt below the minimum reports 0, however often it is sent', async () => {
  const short: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: '1' }]
  const config = 'engine: { min_cached_tokens: 64 }'
  const strict = await startServerProcess({ config })
  try {
    const other = new OpenAI({ baseURL: `${strict.url}/v1`, apiKey: 'unused', maxRetries: 0 })
    for (let i = 0; i < 3; i++) {
      const answer = await other.chat.completions.create({ model: 'demo', messages: short, max_tokens: 1 })
      expect(answer.usage?.prompt_tokens).toBeLessThan(64)
      expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(0)
    }
  } finally {
    await strict.stop()
  }
})

test('F-5 caching never changes the result: the same greedy answer cold, warm and with the cache off', async () => {
  const messages = aConversation()
  const cold = await complete(messages, { max_tokens: 48 })
  const warm = await complete(messages, { max_tokens: 48 })
  const off = await complete(messages, { max_tokens: 48 }, { 'x-incipit-prefix-cache': 'off' })
  expect(warm.usage.prompt_tokens_details?.cached_tokens).toBeGreaterThan(0)
  expect(off.usage.prompt_tokens_details?.cached_tokens).toBe(0)
  expect(off.event.evaluated_tokens).toBe(off.usage.prompt_tokens)
  expect(cold.text.length).toBeGreaterThan(0)
  expect([warm.text, off.text]).toEqual([cold.text, cold.text])
})

test('F-5 each generation is sampled anew: a generation is never replayed', async () => {
  const messages = aConversation()
  const texts = new Set<string>()
  for (let i = 0; i < 4; i++) texts.add((await complete(messages, { temperature: 1, max_tokens: 32 })).text)
  expect(texts.size).toBeGreaterThan(1)
  const seeded = async (): Promise<string> =>
    (await complete(messages, { temperature: 1, seed: 7, max_tokens: 32 })).text
  expect(await seeded()).toBe(await seeded())
})

test('M-1 the prefix cache can be switched off for one request, which then stores nothing either', async () => {
  const messages = aConversation()
  await complete(messages, {}, { 'x-incipit-prefix-cache': 'off' })
  const after = await complete(messages)
  expect(after.usage.prompt_tokens_details?.cached_tokens ?? 0).toBeLessThan(after.usage.prompt_tokens * 0.5)
})

test('CF-8 usage is identical streamed and not, and hidden from a stream that did not ask', async () => {
  const messages = aConversation()
  await complete(messages)
  const whole = await complete(messages, { max_tokens: 12 })
  const streamed = await readStream(
    await client.chat.completions.create({
      ...base(messages),
      max_tokens: 12,
      stream: true,
      stream_options: { include_usage: true },
    }),
  )
  expect(streamed.usage).toEqual(whole.usage)
  expect(streamed.text).toBe(whole.text)
  const silent = await readStream(
    await client.chat.completions.create({ ...base(messages), max_tokens: 12, stream: true }),
  )
  expect(silent.usage).toBeUndefined()
  expect(silent.text).toBe(whole.text)
})

test('F-6 the token counts stand in the answer headers, streamed and not', async () => {
  const messages = aConversation()
  await complete(messages)
  for (const stream of [false, true]) {
    const { response } = await client.chat.completions.create({ ...base(messages), stream }).withResponse()
    const prompt = Number(response.headers.get('fireworks-prompt-tokens'))
    const cached = Number(response.headers.get('fireworks-cached-prompt-tokens'))
    expect(cached).toBe(prompt - 1)
    expect(response.headers.get('x-incipit-cached-tokens')).toBe(String(cached))
    expect(response.headers.get('x-incipit-route')).toBe('engine/demo')
    await response.body?.cancel().catch(() => undefined)
  }
})

test('an error of the gateway is an APIError of the official SDK, with status, code and param', async () => {
  const broken = client.chat.completions.create({ model: 'demo', messages: [] })
  await expect(broken).rejects.toMatchObject({
    status: 400,
    code: expect.stringMatching(/missing_field|invalid_request/),
    param: '/messages',
  })
})

test('an aborted stream ends the generation and the next request is served', async () => {
  const stream = await client.chat.completions.create({ ...base(aConversation()), max_tokens: 4_000, stream: true })
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
  stream.controller.abort()
  await expect
    .poll(
      async () =>
        (await (await fetch(`${server.url}/metrics`)).text()).match(/incipit_engine_requests_running (\d+)/)?.[1],
      { timeout: 10_000 },
    )
    .toBe('0')
  expect((await complete(aConversation())).text).not.toBe('')
})

function base(messages: readonly OpenAI.ChatCompletionMessageParam[]) {
  return { model: 'demo', messages: [...messages], max_tokens: 8, temperature: 0 }
}

async function complete(
  messages: readonly OpenAI.ChatCompletionMessageParam[],
  more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {},
  headers: Record<string, string> = {},
) {
  const { data, response } = await client.chat.completions
    .create({ ...base(messages), ...more, stream: false }, { headers })
    .withResponse()
  if (data.usage === undefined) throw new Error('no usage')
  const event = await eventOf(server.url, response.headers.get('x-incipit-request-id'))
  return { text: data.choices[0]?.message.content ?? '', usage: data.usage, event }
}

async function readStream(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  let text = ''
  let usage: OpenAI.CompletionUsage | undefined
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  return { text, usage }
}
