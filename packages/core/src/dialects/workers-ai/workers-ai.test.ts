import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IncipitError } from '../../domain/errors.ts'
import type { GenerationRequest } from '../../domain/generation.ts'
import type { Prompt } from '../../domain/prompt.ts'
import type { Usage } from '../../domain/usage.ts'
import { unreportedUsage } from '../../domain/usage.ts'
import { toGeneration } from '../shared/to-generation.ts'
import {
  answerOf,
  contextOf,
  dataOf,
  encode,
  errorOf,
  eventsOf,
  fixture,
  generated,
  hasher,
  slice,
  streamed,
} from '../testing/generations.ts'
import { createWorkersAi } from './index.ts'

const dialect = createWorkersAi()
const pathModel = '@cf/moonshotai/kimi-k2.5'
const parse = (body: unknown): Prompt => dialect.parse(encode(body), { pathModel })
const generate = (prompt: Prompt): GenerationRequest => toGeneration(dialect.read(prompt), hasher)

function usageOf(answer: unknown): Usage | undefined {
  const raw = dialect.rawUsage(answer)
  return raw && dialect.usage(raw)?.buckets
}

const warm = { texts: ['Hel', '', 'lo "é"\n'], prompt: 1_200, cached: 1_024, output: 3 }

/** The body of the REST call in the documentation of the prefix cache. */
const documented = {
  messages: [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: 'What is prefix caching and why does it matter?' },
  ],
  max_tokens: 2400,
  stream: true,
}

test('CF-4 the documented REST body is taken verbatim, the model from the path', () => {
  const prompt = parse(documented)
  expect(prompt).toMatchObject({ dialect: 'workers-ai', model: pathModel, stream: true })
  expect(prompt.segments.map(({ kind, pointer }) => [kind, pointer])).toEqual([
    ['system_instructions', '/messages/0'],
    ['user_message', '/messages/1'],
  ])
  expect(generate(prompt)).toMatchObject({ messages: documented.messages, maxTokens: 2400 })
})

test('CF-4 a prompt is one user message, with the token limit of the API', () => {
  const prompt = parse('{"prompt": "Tell me a joke"}')
  expect(prompt.segments).toHaveLength(1)
  expect(slice(prompt, prompt.segments[0]?.span)).toBe('"Tell me a joke"')
  expect(generate(prompt)).toMatchObject({
    messages: [{ role: 'user', content: 'Tell me a joke' }],
    maxTokens: 256,
  })
})

test('CF-4 tools are taken wrapped as OpenAI has them, and bare', () => {
  const bare = { name: 'f', description: 'd', parameters: { type: 'object' } }
  const tools = [bare, { type: 'function', function: bare }]
  const generation = generate(parse({ ...documented, tools }))
  const common = { name: 'f', description: 'd', parametersJson: '{"type":"object"}' }
  expect(generation.tools).toMatchObject([common, common])
})

test('P-10 an image beside the messages is an attachment of the prompt', () => {
  const attachments = parse({ ...documented, image: 'AAAA' }).segments.flatMap((segment) => segment.attachments)
  expect(attachments).toMatchObject([{ kind: 'image', pointer: '/image' }])
})

test.each([
  [{}, 'missing_field', '/messages'],
  [{ prompt: 5 }, 'invalid_request', '/prompt'],
  [{ messages: [] }, 'invalid_request', '/messages'],
])('CF-4 refuses %j', (body, code, param) => {
  expect(errorOf(() => parse(body))).toMatchObject({ code, param })
})

test.each([
  [{ raw: true }, '/raw'],
  [{ lora: 'x' }, '/lora'],
  [{ image: 'AAAA' }, '/image'],
  [{ response_format: { type: 'json_schema' } }, '/response_format/type'],
])('what a local model cannot honour is refused, not passed over: %j', (fields, param) => {
  const prompt = parse({ ...documented, ...fields })
  expect(errorOf(() => generate(prompt))).toMatchObject({ code: 'unsupported_feature', param })
})

test('CF-4 CF-8 a whole answer is wrapped in the envelope, with cached tokens', () => {
  expect(JSON.parse(dialect.answer(answerOf(warm), contextOf(parse(documented))))).toEqual({
    result: {
      response: 'Hello "é"\n',
      usage: {
        prompt_tokens: 1_200,
        completion_tokens: 3,
        total_tokens: 1_203,
        prompt_tokens_details: { cached_tokens: 1_024 },
      },
    },
    success: true,
    errors: [],
    messages: [],
  })
})

describe('golden transcripts, byte for byte', () => {
  test.each([
    ['warm', warm],
    ['cold', { ...warm, cached: 0 }],
  ])('CF-4 CF-8 %s', (name, generated) => {
    expect(streamed(dialect, parse(documented), eventsOf(generated))).toBe(fixture(`workers-ai/${name}.sse`))
  })

  test('an error after the head', () => {
    const renderer = dialect.stream(contextOf(parse(documented)))
    const head = eventsOf(warm)
      .slice(0, 2)
      .map((event) => renderer.event(event))
    const error = renderer.error(new IncipitError('engine_failed', 'the engine stopped after 1 token'))
    expect([...head, error].join('')).toBe(fixture('workers-ai/error.sse'))
  })
})

test('CF-8 usage is in the last frame before [DONE], the same as not streamed', () => {
  fc.assert(
    fc.property(generated, (generated) => {
      const prompt = parse(documented)
      const whole = JSON.parse(dialect.answer(answerOf(generated), contextOf(prompt))) as { result: { usage: unknown } }
      const data = dataOf(streamed(dialect, prompt, eventsOf(generated)))
      expect(data.at(-1)).toBe('[DONE]')
      const frames = data.slice(0, -1).map((frame) => JSON.parse(frame) as { response: string; usage?: unknown })
      expect(frames.at(-1)?.usage).toEqual(whole.result.usage)
      expect(frames.slice(0, -1).every((frame) => frame.usage === undefined)).toBe(true)
      expect(frames.map((frame) => frame.response).join('')).toBe(generated.texts.join(''))
      expect(usageOf(frames.at(-1))).toEqual(usageOf(whole))
    }),
  )
})

test('usage is read in the envelope, without it, or not at all', () => {
  const usage = { prompt_tokens: 8, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 6 } }
  const expected = { ...unreportedUsage, fresh: 2, read: 6, output: 2 }
  expect(usageOf({ result: { response: 'x', usage }, success: true })).toEqual(expected)
  expect(usageOf({ response: '', usage })).toEqual(expected)
  expect(usageOf({ response: 'x' })).toBeUndefined()
  expect(usageOf('x')).toBeUndefined()
})

test.each([
  [new IncipitError('unknown_model', 'no such model'), 404, 5007],
  [new IncipitError('missing_field', '/messages is missing', { param: '/messages' }), 400, 5006],
  [new IncipitError('missing_key', 'no key'), 401, 10000],
  [new IncipitError('overloaded', 'queue full'), 503, 3040],
])('CF-4 errors have the envelope and codes of the API: %s', (error, status, code) => {
  const rendered = dialect.error(error, 'req_1')
  expect(rendered.status).toBe(status)
  const param = error.param === undefined ? {} : { param: error.param }
  expect(JSON.parse(rendered.body)).toEqual({
    success: false,
    errors: [{ code, message: `${error.message}. ${error.hint}`, ...param, request_id: 'req_1' }],
    result: null,
    messages: [],
  })
})
