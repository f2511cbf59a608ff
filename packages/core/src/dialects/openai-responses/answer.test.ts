import * as fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { Answer, AnswerBlock, AnswerEvent, AnswerUsage, StopReason } from '../../domain/answer.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { TokenLogprob } from '../../domain/generation.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { tokenCount } from '../../domain/units.ts'
import type { Usage } from '../../domain/usage.ts'
import { inputTokens, unreportedUsage } from '../../domain/usage.ts'
import { contextOf, encode, errorOf } from '../testing/generations.ts'
import { createOpenaiResponses } from './index.ts'
import { answerOf, eventsOfSse, read } from '../testing/streams.ts'

const dialect = createOpenaiResponses()
const promptOf = (fields: object = {}): Prompt =>
  dialect.parse(encode({ model: 'demo', input: 'hello', ...fields }), {})
const usageOf = (buckets: Partial<Record<keyof Usage, number>>, reasoning?: number): AnswerUsage => ({
  buckets: { ...unreportedUsage, ...(buckets as Partial<Usage>) },
  reasoningTokens: reasoning === undefined ? undefined : tokenCount(reasoning),
})

const warm: Answer = {
  id: 'upstream-1',
  model: 'upstream-model',
  blocks: [
    { kind: 'thinking', text: 'Hm.', signature: 'enc' },
    { kind: 'text', text: 'Looking "é"\n', logprobs: undefined },
    { kind: 'tool-call', id: 'c1', name: 'f', arguments: '{ "b":1.0}' },
  ],
  stop: 'tool-calls',
  stopSequence: undefined,
  usage: usageOf({ fresh: 31, read: 9_216, write30m: 480, output: 12 }, 5),
}

const answerText = (answer: Answer, prompt = promptOf()): string => dialect.answer(answer, contextOf(prompt))
const parsed = (answer: Answer, prompt = promptOf()): Record<string, unknown> =>
  JSON.parse(answerText(answer, prompt)) as Record<string, unknown>

test('CF-8 a whole answer carries its items, its end and cached tokens', () => {
  expect(parsed(warm)).toMatchObject({
    id: 'resp_req_0123456789abcdef01234567',
    object: 'response',
    created_at: 1_763_690_000,
    model: 'demo',
    status: 'completed',
    error: null,
    incomplete_details: null,
    output: [
      {
        id: 'rs_req_0123456789abcdef01234567_0',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'enc',
      },
      {
        id: 'msg_req_0123456789abcdef01234567_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Looking "é"\n', annotations: [], logprobs: [] }],
      },
      {
        id: 'fc_req_0123456789abcdef01234567_2',
        type: 'function_call',
        status: 'completed',
        call_id: 'c1',
        name: 'f',
        arguments: '{ "b":1.0}',
      },
    ],
    usage: {
      input_tokens: 9_727,
      input_tokens_details: { cached_tokens: 9_216, cache_write_tokens: 480 },
      output_tokens: 12,
      output_tokens_details: { reasoning_tokens: 5 },
      total_tokens: 9_739,
    },
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    store: false,
    temperature: null,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    truncation: 'disabled',
  })
})

test('D-4 what the API repeats of a request is repeated in the bytes of the client', () => {
  const tools = '[{"type":"function", "name":"f","parameters":{"z":1.0,"a":2}}]'
  const prompt = dialect.parse(
    encode(`{"model":"demo","input":"x","tools":${tools},"instructions":"Be brief.","temperature":0.50,"metadata":{ "a":"b"},
      "store":true,"background":true}`),
    {},
  )
  const text = answerText(warm, prompt)
  expect(text).toContain(`"tools":${tools}`)
  expect(text).toContain('"temperature":0.50')
  expect(text).toContain('"metadata":{ "a":"b"}')
  expect(JSON.parse(text)).toMatchObject({ instructions: 'Be brief.', store: false, background: false })
})

test('CF-8 a cold answer reports 0 cached tokens; counts nobody reported are left out', () => {
  const usageIn = (usage: AnswerUsage | undefined): unknown => parsed({ ...warm, usage })['usage']
  expect(usageIn(usageOf({ fresh: 10, read: 0, output: 1 }))).toEqual({
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: {},
    total_tokens: 11,
  })
  expect(usageIn(usageOf({ output: 1 }))).toEqual({
    input_tokens_details: {},
    output_tokens: 1,
    output_tokens_details: {},
  })
  expect(usageIn(undefined)).toBeNull()
})

test.each<[StopReason, AnswerBlock['kind'] | undefined, string, string | undefined]>([
  ['end', undefined, 'completed', undefined],
  ['stop-sequence', undefined, 'completed', undefined],
  ['tool-calls', undefined, 'completed', undefined],
  ['pause', undefined, 'completed', undefined],
  ['refusal', 'refusal', 'completed', undefined],
  ['refusal', undefined, 'incomplete', 'content_filter'],
  ['content-filter', undefined, 'incomplete', 'content_filter'],
  ['length', undefined, 'incomplete', 'max_output_tokens'],
  ['context-exceeded', undefined, 'incomplete', 'max_output_tokens'],
])('an answer that ended by %s (%s) is %s', (stop, kind, status, reason) => {
  const block: AnswerBlock =
    kind === 'refusal' ? { kind: 'refusal', text: 'No.' } : { kind: 'text', text: 'x', logprobs: undefined }
  const expected = { status, incomplete_details: reason === undefined ? null : { reason }, output: [{ status }] }
  expect(parsed({ ...warm, blocks: [block], stop })).toMatchObject(expected)
  const events: AnswerEvent[] = [
    { kind: 'start', id: undefined, model: undefined, usage: undefined },
    kind === 'refusal' ? { kind: 'refusal-delta', text: 'No.' } : { kind: 'text-delta', text: 'x' },
    { kind: 'finish', stop, stopSequence: undefined, usage: undefined },
  ]
  const last = eventsOfSse(streamed(events)).at(-1)
  expect(last?.event).toBe(`response.${status}`)
  expect(JSON.parse(last?.data ?? '')).toMatchObject({ response: expected })
})

function streamed(events: readonly AnswerEvent[], prompt = promptOf({ stream: true })): string {
  const renderer = dialect.stream(contextOf(prompt))
  return events.map((event) => renderer.event(event)).join('')
}

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 })
const logprob = fc.record({
  token: text,
  logprob: fc.double({ max: 0, min: -50, noDefaultInfinity: true }).map((value) => value || 0),
  bytes: fc.array(fc.nat(255), { maxLength: 3 }),
})
const logprobs: fc.Arbitrary<TokenLogprob[]> = fc.array(
  fc.tuple(logprob, fc.array(logprob, { maxLength: 2 })).map(([one, top]) => ({ ...one, top })),
  { minLength: 1, maxLength: 2 },
)
const textDelta: fc.Arbitrary<AnswerEvent> = fc.oneof(
  text.map((text) => ({ kind: 'text-delta', text }) as const),
  fc.tuple(text, logprobs).map(([text, logprobs]) => ({ kind: 'text-delta', text, logprobs }) as const),
)
const count = fc.nat(100_000)
const usage: fc.Arbitrary<AnswerUsage> = fc
  .record(
    { fresh: count, output: count, read: count, write30m: count, reasoning: count },
    { requiredKeys: ['fresh', 'output'] },
  )
  .map(({ reasoning, ...buckets }) => usageOf(buckets, reasoning))

/** Events of an answer in their normal form: no empty deltas, calls counted from 0, an end that fits. */
const answerEvents: fc.Arbitrary<AnswerEvent[]> = fc
  .record({
    pieces: fc.array(
      fc.oneof(
        textDelta,
        text.map((text) => ({ kind: 'refusal-delta', text }) as const),
        text.map((text) => ({ kind: 'thinking-delta', text }) as const),
        text.map((signature) => ({ kind: 'thinking-signature', signature }) as const),
        fc.record({ kind: fc.constant('tool-start'), id: text, name: text } as const),
        fc.record({ kind: fc.constant('tool-delta'), index: fc.nat(9), json: text } as const),
      ),
      { maxLength: 12 },
    ),
    cut: fc.constantFrom<StopReason | undefined>(undefined, undefined, 'length', 'content-filter'),
    usage,
  })
  .map(({ pieces, cut, usage }) => {
    const events: AnswerEvent[] = [
      { kind: 'start', id: 'resp_req_0123456789abcdef01234567', model: 'demo', usage: undefined },
    ]
    let calls = 0
    for (const piece of pieces) {
      if (piece.kind === 'tool-start') events.push({ ...piece, index: calls++ })
      else if (piece.kind !== 'tool-delta') events.push(piece)
      else if (calls > 0) events.push({ ...piece, index: piece.index % calls })
    }
    const refused = pieces.some(({ kind }) => kind === 'refusal-delta')
    const stop = cut ?? (calls > 0 ? 'tool-calls' : refused ? 'refusal' : 'end')
    return [...events, { kind: 'finish', stop, stopSequence: undefined, usage }]
  })

test('what is streamed is read as the same events', () => {
  fc.assert(
    fc.property(answerEvents, (events) => {
      expect(read(dialect, streamed(events))).toEqual({ events, fault: undefined })
    }),
  )
})

test('D-43 an answer and its usage are the same streamed and not streamed', () => {
  fc.assert(
    fc.property(answerEvents, (events) => {
      const whole = answerOf(events)
      const answered = JSON.parse(answerText(whole)) as Record<string, unknown>
      const last = JSON.parse(eventsOfSse(streamed(events)).at(-1)?.data ?? '') as { response: object }
      expect({ ...last.response, output: undefined }).toEqual({ ...answered, output: undefined })
      expect(dialect.readAnswer(last.response).usage).toEqual(whole.usage)
      expect(dialect.rawUsage(last)).toEqual(dialect.rawUsage(answered))
      expect(dialect.readAnswer(answered)).toEqual(whole)
    }),
  )
})

test('the events of a stream count on from 0 and each item is begun, filled and done', () => {
  const events = eventsOfSse(
    streamed([
      { kind: 'start', id: undefined, model: undefined, usage: undefined },
      { kind: 'ping' },
      { kind: 'thinking-delta', text: 'Hm.' },
      { kind: 'thinking-signature', signature: 'enc' },
      { kind: 'text-delta', text: 'Hel' },
      { kind: 'text-delta', text: '' },
      { kind: 'text-delta', text: 'lo' },
      { kind: 'refusal-delta', text: 'No.' },
      { kind: 'tool-start', index: 0, id: 'c1', name: 'f' },
      { kind: 'tool-start', index: 1, id: 'c2', name: 'g' },
      { kind: 'tool-delta', index: 0, json: '{}' },
      { kind: 'finish', stop: 'tool-calls', stopSequence: undefined, usage: undefined },
    ]),
  )
  const data = events.map((event) => JSON.parse(event.data) as Record<string, unknown>)
  expect(data.map((one) => one['sequence_number'])).toEqual(data.map((_, index) => index))
  expect(events.map(({ event }) => event)).toEqual(data.map((one) => one['type']))
  expect(data.map(({ type, output_index: item }) => [String(type).replace('response.', ''), item])).toEqual([
    ['created', undefined],
    ['in_progress', undefined],
    ['output_item.added', 0],
    ['reasoning_summary_part.added', 0],
    ['reasoning_summary_text.delta', 0],
    ['reasoning_summary_text.done', 0],
    ['reasoning_summary_part.done', 0],
    ['output_item.done', 0],
    ['output_item.added', 1],
    ['content_part.added', 1],
    ['output_text.delta', 1],
    ['output_text.delta', 1],
    ['output_text.done', 1],
    ['content_part.done', 1],
    ['content_part.added', 1],
    ['refusal.delta', 1],
    ['refusal.done', 1],
    ['content_part.done', 1],
    ['output_item.done', 1],
    ['output_item.added', 2],
    ['output_item.added', 3],
    ['function_call_arguments.delta', 2],
    ['function_call_arguments.done', 2],
    ['output_item.done', 2],
    ['function_call_arguments.done', 3],
    ['output_item.done', 3],
    ['completed', undefined],
  ])
})

test('thoughts that only their maker can read travel encrypted', () => {
  const events: AnswerEvent[] = [
    { kind: 'start', id: undefined, model: undefined, usage: undefined },
    { kind: 'redacted-thinking', data: 'secret' },
    { kind: 'finish', stop: 'end', stopSequence: undefined, usage: undefined },
  ]
  expect(read(dialect, streamed(events)).events[1]).toEqual({ kind: 'thinking-signature', signature: 'secret' })
  expect(parsed({ ...warm, blocks: [{ kind: 'redacted-thinking', data: 'secret' }] })['output']).toMatchObject([
    { type: 'reasoning', summary: [], encrypted_content: 'secret' },
  ])
})

/** The official client over a canned answer. */
function clientOf(body: string, contentType = dialect.streamContentType): OpenAI {
  const fetch = (): Promise<Response> =>
    Promise.resolve(new Response(body, { headers: { 'content-type': contentType } }))
  return new OpenAI({ apiKey: 'test', baseURL: 'http://localhost/v1', fetch, maxRetries: 0 })
}

test('the official client puts any stream together', async () => {
  await fc.assert(
    fc.asyncProperty(answerEvents, async (events) => {
      const whole = answerOf(events)
      const stream = clientOf(streamed(events)).responses.stream({ model: 'demo', input: 'x' })
      const response = await stream.finalResponse()
      const texts = whole.blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : []))
      expect(response.output_text).toBe(texts.join(''))
      const calls = response.output.flatMap((item) =>
        item.type === 'function_call' ? [[item.call_id, item.name, item.arguments]] : [],
      )
      expect(calls).toEqual(
        whole.blocks.flatMap((block) => (block.kind === 'tool-call' ? [[block.id, block.name, block.arguments]] : [])),
      )
      expect(response.usage?.input_tokens).toBe(inputTokens(whole.usage?.buckets ?? unreportedUsage))
      expect(response.usage?.input_tokens_details.cached_tokens).toBe(whole.usage?.buckets.read)
      const cut = whole.stop === 'length' || whole.stop === 'content-filter'
      expect(response.status).toBe(cut ? 'incomplete' : 'completed')
    }),
    { numRuns: 40 },
  )
})

test('the official client parses structured output and whole answers', async () => {
  const blocks: AnswerBlock[] = [{ kind: 'text', text: '{"answer":42}', logprobs: undefined }]
  const format = { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } as const
  const body = answerText({ ...warm, blocks, stop: 'end' }, promptOf({ text: { format } }))
  const response = await clientOf(body, 'application/json').responses.parse({
    model: 'demo',
    input: 'x',
    text: { format },
  })
  expect(response.output_parsed).toEqual({ answer: 42 })
  expect(response.output_text).toBe('{"answer":42}')
})

test('the official client throws on an error after the head; others see the response fail', async () => {
  const renderer = dialect.stream(contextOf(promptOf({ stream: true })))
  const head = [
    renderer.event({ kind: 'start', id: undefined, model: undefined, usage: undefined }),
    renderer.event({ kind: 'text-delta', text: 'x' }),
  ]
  const body = [...head, renderer.error(new IncipitError('engine_failed', 'the engine stopped'))].join('')
  const stream = await clientOf(body).responses.create({ model: 'demo', input: 'x', stream: true })
  const types: string[] = []
  const readAll = async (): Promise<void> => {
    for await (const event of stream) types.push(event.type)
  }
  await expect(readAll()).rejects.toMatchObject({ code: 'engine_failed', type: 'server_error' })
  expect(types).toContain('response.output_text.delta')
  expect(types).not.toContain('response.completed')
  const last = eventsOfSse(body).at(-1)
  expect(last?.event).toBe('response.failed')
  expect(JSON.parse(last?.data ?? '')).toMatchObject({
    response: { status: 'failed', error: { code: 'server_error' }, output: [] },
  })
  expect(read(dialect, body).fault).toMatchObject({ type: 'server_error', code: 'engine_failed' })
})

test('a delta of a call that never began is a defect', () => {
  const renderer = dialect.stream(contextOf(promptOf()))
  expect(() => renderer.event({ kind: 'tool-delta', index: 3, json: '{}' })).toThrow(/tool call 3/)
})

describe('errors have the shape of the API', () => {
  test.each([
    [new IncipitError('invalid_request', 'x is 3', { param: '/x' }), 400, 'invalid_request_error', 'invalid_request'],
    [new IncipitError('invalid_key', 'unknown key'), 401, 'authentication_error', 'invalid_api_key'],
    [new IncipitError('unknown_model', 'no such model'), 404, 'invalid_request_error', 'model_not_found'],
    [new IncipitError('context_overflow', '9 tokens'), 400, 'invalid_request_error', 'context_length_exceeded'],
    [new IncipitError('overloaded', 'queue full'), 503, 'server_error', 'overloaded'],
  ])('%s', (error, status, type, code) => {
    const rendered = dialect.error(error, 'req_1')
    expect(rendered.status).toBe(status)
    expect(JSON.parse(rendered.body)).toEqual({
      error: {
        message: `${error.message}. ${error.hint}`,
        type,
        param: error.param ?? null,
        code,
        request_id: 'req_1',
      },
    })
  })

  test('of an upstream too, with its own words', () => {
    const fault = { type: 'overloaded_error', code: undefined, message: 'Overloaded', param: undefined }
    const rendered = dialect.fault(fault, 529, 'req_1')
    expect(rendered.status).toBe(503)
    expect(JSON.parse(rendered.body)).toEqual({
      error: {
        message: 'Overloaded',
        type: 'server_error',
        param: null,
        code: 'overloaded_error',
        request_id: 'req_1',
      },
    })
  })

  test.each([
    [
      '{"error":{"message":"Slow","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
      'Slow',
      'rate_limit_exceeded',
    ],
    ['{"code":"The model is busy","error":"Busy"}', 'Busy', 'The model is busy'],
    ['{"object":"error","message":"Too long","code":400}', 'Too long', '400'],
    ['{"detail":"Not Found"}', 'Not Found', undefined],
    ['{"error":{}}', 'the upstream named no reason', undefined],
    ['<html>secret</html>', 'the upstream answered 502 with 19 characters that state no error', undefined],
    ['', 'the upstream answered 502 with 0 characters that state no error', undefined],
    ['[1]', 'the upstream answered 502 with 3 characters that state no error', undefined],
  ])('and are read whatever they hold: %s', (body, message, code) => {
    expect(dialect.readFault(502, body)).toMatchObject({ message, code })
  })
})

describe('D-41 usage of upstreams falls into disjoint buckets', () => {
  test.each([
    [
      'OpenAI 5.6: read and written tokens are inside the total',
      {
        input_tokens: 9_727,
        input_tokens_details: { cached_tokens: 9_216, cache_write_tokens: 480 },
        output_tokens: 12,
        output_tokens_details: { reasoning_tokens: 0 },
      },
      { fresh: 31, read: 9_216, write30m: 480, output: 12 },
      0,
    ],
    [
      'before 5.6 nothing is written',
      { input_tokens: 10, input_tokens_details: { cached_tokens: 0 }, output_tokens: 1 },
      { fresh: 10, read: 0, output: 1 },
      undefined,
    ],
    [
      'nothing reported about the cache stays unknown',
      { input_tokens: 10, output_tokens: 1 },
      { fresh: 10, output: 1 },
      undefined,
    ],
    [
      'more read than there was is counted beside the total',
      { input_tokens: 10, input_tokens_details: { cached_tokens: 12 }, output_tokens: 1 },
      { fresh: 10, read: 12, output: 1 },
      undefined,
    ],
    [
      'more written than the rest stays as it was reported',
      { input_tokens: 10, input_tokens_details: { cached_tokens: 4, cache_write_tokens: 9 } },
      { fresh: 0, read: 4, write30m: 9 },
      undefined,
    ],
    [
      'what is no count is not reported',
      { input_tokens: '10', input_tokens_details: { cached_tokens: -1 }, output_tokens: 4 },
      { output: 4 },
      undefined,
    ],
  ])('%s', (_, raw, buckets, reasoning) => {
    expect(dialect.usage(raw)).toEqual(usageOf(buckets, reasoning))
    expect(dialect.rawUsage({ object: 'response', usage: raw })).toBe(raw)
    expect(dialect.rawUsage({ type: 'response.completed', response: { usage: raw } })).toBe(raw)
  })

  test('the input adds up to the total of the provider, or to what is more than it, and then the two differ', () => {
    fc.assert(
      fc.property(count, fc.option(count), fc.option(count), (total, cached, written) => {
        const raw = {
          input_tokens: total,
          input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
        }
        const beside = cached !== null && cached > total ? cached : 0
        const sum = Math.max(total + beside, (cached ?? 0) + (written ?? 0))
        expect(inputTokens(dialect.usage(raw)?.buckets ?? unreportedUsage)).toBe(sum)
        expect(dialect.inputTotal(raw)).toBe(total)
      }),
    )
  })

  test.each([[{ usage: null }], [{}], [null], ['text'], [{ response: { usage: [] }, usage: {} }]])(
    'none in %j',
    (answer) => {
      expect(dialect.rawUsage(answer)).toBeUndefined()
    },
  )

  test('none of an object without counts', () => {
    expect(dialect.usage({ input_tokens: null })).toBeUndefined()
  })
})

describe('JSON that is no answer is a fault of the upstream', () => {
  test.each([
    [null, 'without the array "output"'],
    [{ id: 'x' }, 'without the array "output"'],
    [{ status: 'failed', output: [], error: { code: 'server_error' } }, 'response is failed: server_error'],
    [{ status: 'cancelled', output: [] }, 'response is cancelled: no code given'],
  ])('%j', (answer, message) => {
    const error = errorOf(() => dialect.readAnswer(answer))
    expect(error.code).toBe('upstream_failed')
    expect(error.message).toContain(message)
  })
})
