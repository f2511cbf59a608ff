import Anthropic from '@anthropic-ai/sdk'
import * as fc from 'fast-check'
import { request as httpRequest } from 'node:http'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { hasZstd } from './body-encoder.ts'
import type { FaultSpec } from './fault.ts'
import type { Emulator, EmulatorKind } from './start-emulator.ts'
import { emulatorKinds } from './start-emulator.ts'
import { anEmulator, post } from './testing/emulators.ts'

const messages = [{ role: 'user', content: 'hello' }]
const paths: Readonly<Record<EmulatorKind, { readonly path: string; readonly model: string }>> = {
  anthropic: { path: '/v1/messages', model: 'claude-opus-5' },
  openai: { path: '/v1/chat/completions', model: 'gpt-4o' },
  fireworks: { path: '/inference/v1/chat/completions', model: 'accounts/fireworks/models/x' },
  'workers-ai': { path: '/client/v4/accounts/a/ai/v1/chat/completions', model: '@cf/moonshotai/kimi-k2.6' },
  vllm: { path: '/v1/chat/completions', model: 'x' },
}

function ask(emulator: Emulator, more: object = {}): ReturnType<typeof post> {
  const { path, model } = paths[emulator.kind]
  return post(emulator, path, { model, messages, max_tokens: 50, ...more })
}

/** A request that may end badly: the bytes that came, and whether the answer was complete. */
function rawAsk(
  { url }: Emulator,
  more: object = {},
  abandonAfterMs?: number,
): Promise<{ readonly bytes: Buffer; readonly complete: boolean }> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    const done = (complete: boolean): void => resolve({ bytes: Buffer.concat(pieces), complete })
    const headers = { authorization: 'Bearer test', 'content-type': 'application/json' }
    const request = httpRequest(`${url}/v1/chat/completions`, { method: 'POST', headers }, (response) => {
      response.on('data', (piece: Buffer) => void pieces.push(piece))
      response.on('close', () => done(response.complete))
    })
    request.on('error', () => done(false))
    if (abandonAfterMs !== undefined) setTimeout(() => request.destroy(), abandonAfterMs)
    request.end(JSON.stringify({ model: 'gpt-4o', messages, ...more }))
  })
}

test.each(emulatorKinds)('%s words the errors asked for, as often as asked for, and stores nothing', async (kind) => {
  const emulator = await anEmulator({ kind })
  emulator.fault({ status: 429, times: 2, headers: { 'retry-after': '3' } })
  for (let turn = 0; turn < 2; turn += 1) {
    const { status, headers, json } = await ask(emulator)
    expect(status).toBe(429)
    expect(headers.get('retry-after')).toBe('3')
    expect(json['error'] ?? json['errors']).toBeTruthy()
  }
  expect((await ask(emulator)).status).toBe(200)
})

test('the official clients retry what the emulators refuse, and see their error types', async () => {
  const anthropic = await anEmulator({ kind: 'anthropic' })
  anthropic.fault({ status: 529, headers: { 'retry-after-ms': '1' } })
  const client = new Anthropic({ baseURL: anthropic.url, apiKey: 'test', maxRetries: 1 })
  await expect(client.models.list()).resolves.toBeTruthy()
  anthropic.fault({ status: 529, times: 'always' })
  await expect(
    new Anthropic({ baseURL: anthropic.url, apiKey: 'test', maxRetries: 0 }).models.list(),
  ).rejects.toMatchObject({ status: 529, error: { error: { type: 'overloaded_error' } } })
  const openai = await anEmulator({ kind: 'openai' })
  openai.fault({ status: 429, headers: { 'retry-after-ms': '1' } })
  await expect(
    new OpenAI({ baseURL: `${openai.url}/v1`, apiKey: 'test', maxRetries: 1 }).models.list(),
  ).resolves.toBeTruthy()
})

test('a fault waits for its path and lets requests through first', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({
    match: '/v1/responses',
    after: 1,
    status: 500,
    body: 'not JSON',
    headers: { 'content-type': 'text/plain' },
  })
  expect((await ask(emulator)).status).toBe(200)
  const respond = (): ReturnType<typeof post> => post(emulator, '/v1/responses', { model: 'gpt-5', input: 'x' })
  expect((await respond()).status).toBe(200)
  expect(await respond()).toMatchObject({ status: 500, text: 'not JSON' })
})

test('a connection is dropped before the head, or after exactly so many bytes', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({ drop: 'before-head' })
  expect(await rawAsk(emulator)).toEqual({ bytes: Buffer.alloc(0), complete: false })
  for (const stream of [false, true]) {
    emulator.fault({ drop: 100 })
    const { bytes, complete } = await rawAsk(emulator, { stream })
    expect(bytes).toHaveLength(100)
    expect(complete).toBe(false)
  }
})

test('what was dropped before its head has left no entry', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const long = { messages: [{ role: 'user', content: 'x'.repeat(8_000) }] }
  emulator.fault({ drop: 'before-head' })
  await rawAsk(emulator, long)
  const { json } = await ask(emulator, { ...long })
  expect(json).toMatchObject({ usage: { prompt_tokens_details: { cached_tokens: 0 } } })
})

test('a stall stays open until the client leaves', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({ stall: 'before-head' })
  expect((await rawAsk(emulator, {}, 150)).bytes).toHaveLength(0)
  emulator.fault({ stall: 64 })
  expect(await rawAsk(emulator, { stream: true }, 150)).toMatchObject({
    bytes: expect.objectContaining({ length: 64 }),
    complete: false,
  })
  expect((await ask(emulator)).status).toBe(200)
})

test('delays hold back the head and each event', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  for (const [fault, least] of [
    [{ delay_head_ms: 80 }, 75],
    [{ delay_event_ms: 10 }, 75],
  ] as const) {
    emulator.fault(fault)
    const before = performance.now()
    await ask(emulator, { stream: true })
    expect(performance.now() - before).toBeGreaterThan(least)
  }
})

test('a body is cut in half, or only one event of a stream', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({ malformed_json: true, times: 2 })
  const whole = await rawAsk(emulator)
  expect(() => JSON.parse(whole.bytes.toString()) as unknown).toThrow(SyntaxError)
  const { bytes } = await rawAsk(emulator, { stream: true })
  const events = bytes
    .toString()
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
  const broken = events.filter((event) => !event.endsWith('}'))
  expect(broken).toHaveLength(1)
})

test.each<[EmulatorKind, object, RegExp]>([
  ['anthropic', {}, /event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/],
  ['openai', {}, /data: \{"error":\{"message":/],
  ['workers-ai', {}, /data: \{"errors":\[/],
  ['vllm', {}, /data: \{"error":\{"message":.*"code":500/],
])('%s reports an error in a stream that has begun as it does', async (kind, more, expected) => {
  const emulator = await anEmulator({ kind })
  emulator.fault({ error_event: 3 })
  const { status, text } = await ask(emulator, { stream: true, ...more })
  expect(status).toBe(200)
  expect(text.trimEnd().split('\n\n')).toHaveLength(4)
  expect(text).toMatch(expected)
})

test('OpenAI Responses reports an error in a stream as an event of its own', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({ error_event: 2 })
  const { text } = await post(emulator, '/v1/responses', { model: 'gpt-5', input: 'x', stream: true })
  expect(text).toMatch(/event: error\ndata: \{"type":"error","code":"server_error"/)
})

test.each<[EmulatorKind, string]>([
  ['anthropic', 'message_stop'],
  ['openai', '[DONE]'],
  ['workers-ai', '[DONE]'],
])('a stream of %s ends without %s, or with a frame too many', async (kind, terminal) => {
  const emulator = await anEmulator({ kind })
  emulator.fault({ no_terminal: true })
  expect((await ask(emulator, { stream: true })).text).not.toContain(terminal)
  emulator.fault({ trailing_frame: true })
  const { text } = await ask(emulator, { stream: true })
  expect(text.indexOf('vendor_metrics')).toBeGreaterThan(text.indexOf(terminal))
})

test.each(emulatorKinds)('%s leaves usage out of answers and streams', async (kind) => {
  const emulator = await anEmulator({ kind })
  emulator.fault({ missing_usage: true, times: 2 })
  expect((await ask(emulator)).json).not.toHaveProperty('usage')
  const { text } = await ask(emulator, {
    stream: true,
    ...(kind === 'anthropic' ? {} : { stream_options: { include_usage: true } }),
  })
  expect(text).not.toMatch(/"usage":\{/)
  expect(text).toContain('data: ')
})

test('an endless stream goes on until the client leaves', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({ endless: true })
  const { bytes, complete } = await rawAsk(emulator, { stream: true }, 200)
  expect(complete).toBe(false)
  expect(bytes.toString().split('\n\n').length).toBeGreaterThan(20)
})

test('an answer of a million bytes has them all, streamed and not', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  emulator.fault({ huge_bytes: 1_000_000, times: 2 })
  const client = new OpenAI({ baseURL: `${emulator.url}/v1`, apiKey: 'test' })
  const request = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'x' }] }
  const whole = await client.chat.completions.create(request)
  expect(whole.choices[0]?.message.content).toHaveLength(1_000_000)
  const streamed = await client.chat.completions.stream(request).finalChatCompletion()
  expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content)
})

test.each(['gzip', 'deflate', 'br'] as const)(
  'content-encoding %s decodes to the same answer and stream',
  async (encoding) => {
    const emulator = await anEmulator({ kind: 'anthropic' })
    for (const stream of [false, true]) {
      emulator.reset()
      const plain = await ask(emulator, { stream })
      emulator.reset()
      emulator.fault({ encoding, split_every: 7 })
      const encoded = await ask(emulator, { stream })
      expect(encoded.headers.get('content-encoding')).toBe(encoding)
      expect(encoded.text.replace(/msg_\w+/g, '')).toBe(plain.text.replace(/msg_\w+/g, ''))
    }
  },
)

test('content-encoding zstd is there where Node has it, and refused with the reason where it has not', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const { status, text } = await post(emulator, '/admin/faults', { encoding: 'zstd' })
  expect(status).toBe(hasZstd() ? 200 : 400)
  const seen = hasZstd() ? (await rawAsk(emulator)).bytes.subarray(0, 4).toString('hex') : text
  expect(seen).toMatch(hasZstd() ? /^28b52ffd$/ : /encoding: zstd needs Node 22\.15 or newer/)
})

test('a stream with CRLF, cut at any byte, means the same to the official client', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const client = new Anthropic({ baseURL: emulator.url, apiKey: 'test', maxRetries: 0 })
  const request = { model: 'claude-opus-5', max_tokens: 50, messages: [{ role: 'user' as const, content: 'hello' }] }
  const whole = await client.messages.create(request)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400 }), fc.boolean(), async (split_every, crlf) => {
      emulator.fault({ split_every, crlf })
      const { content, usage } = await client.messages.stream(request).finalMessage()
      expect(content).toEqual(whole.content)
      expect(usage.output_tokens).toBe(whole.usage.output_tokens)
    }),
    { numRuns: 8 },
  )
})

test('a fault with a member that is none is refused, in the program and over HTTP', async () => {
  const emulator = await anEmulator({ kind: 'vllm' })
  expect(() => emulator.fault({ explode: true } as unknown as FaultSpec)).toThrow(/explode/)
  const { status, text } = await post(emulator, '/admin/faults', { status: 'high' })
  expect(status).toBe(400)
  expect(text).toContain('/status')
})
