import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { EventRow } from './support/post.ts'
import { posted, rowOf } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: ServerProcess
let client: OpenAI

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  gateway = await startGateway([
    { name: 'chat', url: upstream.url, settings: 'kind: openai-compatible, models: [chat-only]' },
    { name: 'both', url: upstream.url, settings: 'kind: openai, api_key: k, models: [both]' },
    { name: 'messages', url: upstream.url, settings: 'kind: anthropic, api_key: k, models: [messages-only]' },
  ])
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 0 })
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.close()
})

/** What Cursor posts to the path of Chat: a body of the other API, bare tools included. */
const bodyOf = (model: string, stream: boolean) => ({
  model,
  stream,
  user: 'cursor-user-1',
  input: [
    { role: 'system', content: 'You are a coding agent.' },
    { role: 'user', content: [{ type: 'input_text', text: 'Rename it.' }] },
  ],
  tools: [{ type: 'function', name: 'edit', parameters: { type: 'object', properties: { b: {}, a: {} } } }],
  tool_choice: 'auto',
})

describe.each([
  { model: 'chat-only', path: '/v1/chat/completions', dialect: 'openai-chat' },
  { model: 'both', path: '/v1/responses', dialect: 'openai-responses' },
  { model: 'messages-only', path: '/v1/messages', dialect: 'anthropic-messages' },
])('a Responses body on the path of Chat, for the upstream of "$model"', ({ model, path, dialect }) => {
  test('is answered as a chat completion, which the official client reads', async () => {
    const answer = await client.chat.completions.create(bodyOf(model, false) as never)
    const completion = answer as OpenAI.ChatCompletion
    expect(completion.object).toBe('chat.completion')
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'ok' },
    })
    expect(completion.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 2 })
    expect(completion.usage?.prompt_tokens_details?.cached_tokens).toBe(16)
    expect(upstream.requests.pop()?.path).toBe(path)
  })

  test('is streamed as chat chunks, which the official client reads', async () => {
    const stream = (await client.chat.completions.create(
      bodyOf(model, true) as never,
    )) as unknown as AsyncIterable<OpenAI.ChatCompletionChunk>
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']))
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('ok')
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason ?? null).filter(Boolean)).toEqual(['stop'])
    expect(upstream.requests.pop()?.path).toBe(path)
  })

  test('is metered, and says what was done to it', async () => {
    const answer = await posted(`${gateway.url}/v1/chat/completions`, bodyOf(model, true))
    const row: EventRow = await rowOf(gateway.url, answer)
    expect(row).toMatchObject({ dialect: 'openai-chat', status: 200, usage: { read: 16, output: 2 } })
    const passes = dialect === 'openai-responses'
    expect(row.edits).toEqual(passes ? [] : [`translate-openai-responses-${dialect}`])
    const body = upstream.requests.pop()?.body.toString('utf8')
    expect(body === JSON.stringify(bodyOf(model, true))).toBe(passes)
    expect(body).toContain('{"type":"object","properties":{"b":{},"a":{}}}')
    expect(answer.text).toMatch(/data: \[DONE\]\n\n$/)
  })
})

test('a Chat body stays a Chat body, and one that is neither is told what Chat lacks', async () => {
  await client.chat.completions.create({ model: 'both', messages: [{ role: 'user', content: 'Hi' }] })
  expect(upstream.requests.pop()?.path).toBe('/v1/chat/completions')
  const both = { ...bodyOf('both', false), messages: [{ role: 'user', content: 'Hi' }] }
  await posted(`${gateway.url}/v1/chat/completions`, both)
  expect(upstream.requests.pop()?.path).toBe('/v1/chat/completions')
  await expect(client.chat.completions.create({ model: 'both' } as never)).rejects.toMatchObject({
    status: 400,
    param: '/messages',
  })
})
