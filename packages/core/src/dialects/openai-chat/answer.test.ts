import * as fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent } from '../../domain/answer.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { Prompt } from '../../domain/prompt.ts'
import type { Usage } from '../../domain/usage.ts'
import { inputTokens, unreportedUsage } from '../../domain/usage.ts'
import { answerOf, contextOf, dataOf, encode, eventsOf, fixture, generated, streamed } from '../testing/generations.ts'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const messages = [{ role: 'user', content: 'hello' }]
const promptOf = (fields: object = {}): Prompt => dialect.parse(encode({ model: 'demo', messages, ...fields }), {})
const withUsage = promptOf({ stream: true, stream_options: { include_usage: true } })
function usageOf(answer: unknown): Usage | undefined {
  const raw = dialect.rawUsage(answer)
  return raw && dialect.usage(raw)?.buckets
}

const warm = { texts: ['Hel', '', 'lo "é"\n'], prompt: 1_200, cached: 1_024, output: 3 }

const withLogprobs: readonly AnswerEvent[] = eventsOf(warm).map((event) =>
  event.kind === 'text-delta' && event.text === 'Hel'
    ? { ...event, logprobs: [{ token: 'Hel', logprob: -0.5, bytes: [72, 101, 108], top: [] }] }
    : event,
)

test('CF-8 a whole answer carries text, finish reason and cached tokens', () => {
  expect(JSON.parse(dialect.answer(answerOf(warm), contextOf(promptOf())))).toEqual({
    id: 'chatcmpl-req_0123456789abcdef01234567',
    object: 'chat.completion',
    created: 1_763_690_000,
    model: 'demo',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello "é"\n', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 1_200,
      completion_tokens: 3,
      total_tokens: 1_203,
      prompt_tokens_details: { cached_tokens: 1_024 },
    },
  })
})

test('CF-8 a cold answer reports 0 cached tokens', () => {
  const cold = JSON.parse(dialect.answer(answerOf({ ...warm, cached: 0 }), contextOf(promptOf()))) as object
  expect(cold).toMatchObject({ usage: { prompt_tokens_details: { cached_tokens: 0 } } })
})

test('log-probabilities are rendered with their alternatives', () => {
  const entry = { token: 'a', logprob: -0.1, bytes: [97] }
  const text = { kind: 'text', text: 'a', logprobs: [{ ...entry, top: [entry] }] } as const
  const result = { ...answerOf(warm), blocks: [text] }
  expect(JSON.parse(dialect.answer(result, contextOf(promptOf())))).toMatchObject({
    choices: [{ logprobs: { content: [{ ...entry, top_logprobs: [entry] }], refusal: null } }],
  })
})

describe('golden transcripts, byte for byte', () => {
  test.each([
    ['plain', dialect, promptOf({ stream: true }), eventsOf(warm)],
    ['include-usage', dialect, withUsage, eventsOf(warm)],
    ['logprobs', dialect, withUsage, withLogprobs],
    ['always-usage', createOpenaiChat({ alwaysStreamUsage: true }), promptOf({ stream: true }), eventsOf(warm)],
  ])('CF-8 %s', (name, dialect, prompt, events) => {
    expect(streamed(dialect, prompt, events)).toBe(fixture(`openai-chat/${name}.sse`))
  })

  test('an error after the head', () => {
    const renderer = dialect.stream(contextOf(withUsage))
    const head = eventsOf(warm)
      .slice(0, 2)
      .map((event) => renderer.event(event))
    const error = renderer.error(new IncipitError('engine_failed', 'the engine stopped after 1 token'))
    expect([...head, error].join('')).toBe(fixture('openai-chat/error.sse'))
  })
})

test('CF-8 usage is the same streamed and not streamed', () => {
  fc.assert(
    fc.property(generated, (generated) => {
      const whole = JSON.parse(dialect.answer(answerOf(generated), contextOf(withUsage))) as { usage: unknown }
      const data = dataOf(streamed(dialect, withUsage, eventsOf(generated)))
      expect(data.at(-1)).toBe('[DONE]')
      const chunks = data.slice(0, -1).map((chunk) => JSON.parse(chunk) as { choices: unknown[]; usage: unknown })
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
      for (const chunk of chunks.slice(0, -1)) expect(chunk.usage).toBeNull()
      expect(usageOf(chunks.at(-1))).toEqual(usageOf(whole))
      expect(inputTokens(usageOf(whole) ?? unreportedUsage)).toBe(generated.prompt)
    }),
  )
})

/** The official client over a canned answer. */
function clientOf(body: string): OpenAI {
  const respond = (): Promise<Response> =>
    Promise.resolve(new Response(body, { headers: { 'content-type': dialect.streamContentType } }))
  return new OpenAI({ apiKey: 'test', baseURL: 'http://localhost/v1', fetch: respond, maxRetries: 0 })
}

test('the official client puts any streamed text together, and its usage', async () => {
  await fc.assert(
    fc.asyncProperty(generated, async (generated) => {
      const body = streamed(dialect, withUsage, eventsOf(generated))
      const stream = await clientOf(body).chat.completions.create({ model: 'demo', messages: [], stream: true })
      let text = ''
      let cached: number | undefined
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        cached = chunk.usage?.prompt_tokens_details?.cached_tokens ?? cached
      }
      expect(text).toBe(generated.texts.join(''))
      expect(cached).toBe(generated.cached)
    }),
    { numRuns: 25 },
  )
})

test('the official client puts streamed tool calls together, and reads thinking beside the text', async () => {
  const body = streamed(dialect, promptOf({ stream: true }), [
    { kind: 'start', id: undefined, model: undefined, usage: undefined },
    { kind: 'thinking-delta', text: 'Hm' },
    { kind: 'ping' },
    { kind: 'tool-start', index: 0, id: 'c0', name: 'f' },
    { kind: 'tool-delta', index: 0, json: '{ "a":' },
    { kind: 'tool-delta', index: 0, json: '1}' },
    { kind: 'tool-start', index: 1, id: 'c1', name: 'g' },
    { kind: 'finish', stop: 'tool-calls', stopSequence: undefined, usage: undefined },
  ])
  const runner = clientOf(body).chat.completions.stream({ model: 'demo', messages: [] })
  const { choices, usage } = await runner.finalChatCompletion()
  expect(choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      tool_calls: [
        { id: 'c0', type: 'function', function: { name: 'f', arguments: '{ "a":1}' } },
        { id: 'c1', type: 'function', function: { name: 'g', arguments: '' } },
      ],
    },
  })
  expect(usage).toBeUndefined()
})

test('usage that no upstream reported is left out, whole and streamed', () => {
  const answer = { ...answerOf(warm), usage: undefined }
  expect(JSON.parse(dialect.answer(answer, contextOf(promptOf())))).not.toHaveProperty('usage')
  const events = eventsOf(warm).map((event) => ('usage' in event ? { ...event, usage: undefined } : event))
  expect(streamed(dialect, withUsage, events)).not.toContain('"choices":[]')
})

test('the official client throws on an error after the head', async () => {
  const client = clientOf(fixture('openai-chat/error.sse'))
  const stream = await client.chat.completions.create({ model: 'demo', messages: [], stream: true })
  const read = async (): Promise<void> => {
    for await (const chunk of stream) expect(chunk.object).toBe('chat.completion.chunk')
  }
  await expect(read()).rejects.toMatchObject({ code: 'engine_failed', type: 'server_error' })
})

test.each([
  [new IncipitError('invalid_request', 'x is 3', { param: '/x' }), 400, 'invalid_request_error', 'invalid_request'],
  [new IncipitError('invalid_key', 'unknown key'), 401, 'authentication_error', 'invalid_api_key'],
  [new IncipitError('forbidden', 'not an admin'), 403, 'permission_error', 'forbidden'],
  [new IncipitError('unknown_model', 'no such model'), 404, 'invalid_request_error', 'model_not_found'],
  [new IncipitError('request_timeout', 'too slow'), 408, 'timeout_error', 'request_timeout'],
  [new IncipitError('context_overflow', '9 tokens'), 400, 'invalid_request_error', 'context_length_exceeded'],
  [new IncipitError('overloaded', 'queue full'), 503, 'server_error', 'overloaded'],
])('errors have the shape of the API: %s', (error, status, type, code) => {
  const rendered = dialect.error(error, 'req_1')
  expect(rendered.status).toBe(status)
  expect(JSON.parse(rendered.body)).toEqual({
    error: { message: `${error.message}. ${error.hint}`, type, param: error.param ?? null, code, request_id: 'req_1' },
  })
})
