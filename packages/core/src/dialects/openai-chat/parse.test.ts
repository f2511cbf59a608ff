import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GenerationRequest } from '../../domain/generation.ts'
import type { Prompt } from '../../domain/prompt.ts'
import { toGeneration } from '../shared/to-generation.ts'
import { encode, errorOf, hasher, slice } from '../testing/generations.ts'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const parse = (body: unknown): Prompt => dialect.parse(encode(body), {})
const hello = { role: 'user', content: 'hello' }
const generate = (prompt: Prompt): GenerationRequest => toGeneration(dialect.read(prompt), hasher)
const generationOf = (fields: object): GenerationRequest =>
  generate(parse({ model: 'demo', messages: [hello], ...fields }))

const agentBody = `{ "messages" : [
  {"role":"developer","content":"Rules."}, {"role":"system","content":[{"type":"text","text":"More."}]},
  {"role":"user","content":[
    {"type":"text","text":"Handbook","incipit":{"segment":"knowledge_context"}},
    {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
  {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{ \\"b\\":1,\\"a\\":2}"}}]},
  {"role":"tool","tool_call_id":"c1","content":"42"},
  {"role":"user","content":"So?"}, {"role":"system","content":"Late."} ],
  "model":"demo","stream":true,
  "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","b":1,"a":2}}}],
  "tool_choice": {"type":"function", "function":{"name":"f"}}, "reasoning_effort":null,
  "prompt_cache_isolation_key":"","user":"u1","metadata":{"user_id":"m1"},"conversation":{"id":"v1"},"prompt_cache_key":"k1" }`

test('segments come in the order the provider renders them, with kinds and spans of the client bytes', () => {
  const prompt = parse(agentBody)
  expect(prompt.segments.map(({ kind, role, pointer }) => [kind, role, pointer])).toEqual([
    ['tools', 'tool', '/tools/0'],
    ['system_instructions', 'developer', '/messages/0'],
    ['system_instructions', 'system', '/messages/1'],
    ['knowledge_context', 'user', '/messages/2/content/0'],
    ['conversation_history', 'user', '/messages/2/content/1'],
    ['conversation_history', 'assistant', '/messages/3'],
    ['conversation_history', 'tool', '/messages/4'],
    ['user_message', 'user', '/messages/5'],
    ['conversation_history', 'system', '/messages/6'],
  ])
  expect(slice(prompt, prompt.segments[0]?.span)).toBe(
    '{"type":"function","function":{"name":"f","parameters":{"type":"object","b":1,"a":2}}}',
  )
  expect(slice(prompt, prompt.segments[7]?.span)).toBe('{"role":"user","content":"So?"}')
})

test('P-10 attachments are found with pointer and span', () => {
  const attachments = parse(agentBody).segments.flatMap((segment) => segment.attachments)
  expect(attachments).toMatchObject([{ kind: 'image', pointer: '/messages/2/content/1' }])
  const kinds = parse({
    model: 'demo',
    messages: [{ role: 'user', content: [{ type: 'input_audio' }, { type: 'file' }, { type: 'text', text: 'x' }] }],
  }).segments[0]?.attachments
  expect(kinds?.map((attachment) => attachment.kind)).toEqual(['audio', 'file'])
})

test('P-9 F-2 F-3 profile, identity, isolation key, model and stream are read raw', () => {
  const prompt = parse(agentBody)
  expect(prompt).toMatchObject({ dialect: 'openai-chat', model: 'demo', stream: true, isolationKey: '' })
  expect(prompt.profile).toEqual({ tool_choice: '{"type":"function", "function":{"name":"f"}}' })
  expect(prompt.identity).toEqual({ promptCacheKey: 'k1', conversation: 'v1', user: 'u1', metadataUserId: 'm1' })
  const bare = parse({ model: 'demo', messages: [hello], metadata: { user_id: 7 } })
  expect(bare).toMatchObject({ stream: false, isolationKey: undefined, profile: {} })
  expect(bare.identity.metadataUserId).toBeUndefined()
})

test('P-5 a model in the path wins over the one in the body', () => {
  expect(dialect.parse(encode({ model: 'body', messages: [hello] }), { pathModel: 'path' }).model).toBe('path')
})

test('S-1 a label on a message sets the kind of the whole message', () => {
  const labelled = { ...hello, incipit: { segment: 'policy_preamble' } }
  const kinds = parse({ model: 'demo', messages: [labelled, hello] }).segments.map((segment) => segment.kind)
  expect(kinds).toEqual(['policy_preamble', 'user_message'])
})

test('S-6 marks and labels are holes in their segments: what is left is what is rendered', () => {
  const plain = `{"role":"user","content":[{"type":"text","text":"x"}]}`
  const marked = `{"incipit":{"segment":"user_message"},"role":"user","content":[{"type":"text","prompt_cache_breakpoint":{"mode":"explicit"},"text":"x","cache_control":null}]}`
  const contents = [plain, marked].map((message) => {
    const prompt = parse(`{"model":"demo","messages":[${message}]}`)
    const [segment] = prompt.segments
    const holes = segment?.holes ?? []
    const ends = [...holes.map((hole) => hole.start), segment?.span.end ?? 0]
    const starts = [segment?.span.start ?? 0, ...holes.map((hole) => hole.end)]
    return starts.map((start, index) => slice(prompt, { start, end: ends[index] ?? start })).join('')
  })
  expect(contents).toEqual([plain, plain])
})

test('S-6 explicit breakpoints of the client are found on content parts', () => {
  const part = { type: 'text', text: 'x' }
  const marked = { ...part, prompt_cache_breakpoint: { mode: 'explicit' } }
  const messages = [{ role: 'system', content: [part, marked] }, hello]
  const prompt = parse({ model: 'demo', messages })
  expect(prompt.breakpoints).toMatchObject([{ pointer: '/messages/0/content/1', ttl: '30m', origin: 'client' }])
  expect(slice(prompt, { start: 0, end: prompt.breakpoints[0]?.end ?? 0 })).toMatch(/"explicit"}}$/)
  const long = parse({ model: 'demo', messages, prompt_cache_options: { ttl: '12h' } })
  expect(long.breakpoints[0]?.ttl).toBe('12h')
})

describe('a body that is no chat request is refused with pointer, what is seen and what is expected', () => {
  test.each([
    [[], 'invalid_request', '', 'the body is an array, expected an object'],
    [{ model: 'demo' }, 'missing_field', '/messages', '/messages is missing or null'],
    [{ messages: [hello] }, 'missing_field', '/model', '/model is missing or null'],
    [{ model: '', messages: [hello] }, 'invalid_request', '/model', 'empty string'],
    [{ model: 7, messages: [hello] }, 'invalid_request', '/model', '/model is 7, expected a string'],
    [{ model: 'demo', messages: 'hi' }, 'invalid_request', '/messages', '/messages is a string, expected an array'],
    [{ model: 'demo', messages: [] }, 'invalid_request', '/messages', '0 elements, expected at least 1'],
    [{ model: 'demo', messages: [hello, 'hi'] }, 'invalid_request', '/messages/1', 'is a string, expected an object'],
    [{ model: 'demo', messages: [{ content: 'x' }] }, 'missing_field', '/messages/0/role', 'missing'],
    [{ model: 'demo', messages: [hello], stream: 'yes' }, 'invalid_request', '/stream', 'expected a boolean'],
    [{ model: 'demo', messages: [hello], tools: {} }, 'invalid_request', '/tools', 'is an object, expected an array'],
    [
      { model: 'demo', messages: [hello], prompt_cache_isolation_key: 5 },
      'invalid_request',
      '/prompt_cache_isolation_key',
      'is 5, expected a string',
    ],
    [
      { model: 'demo', messages: [{ ...hello, incipit: { segment: 'tools' } }] },
      'invalid_request',
      '/messages/0/incipit/segment',
      'expected one of system_instructions, policy_preamble, knowledge_context, conversation_history, user_message',
    ],
  ])('%j', (body, code, param, message) => {
    const error = errorOf(() => parse(body))
    expect(error).toMatchObject({ code, param, status: 400 })
    expect(error.message).toContain(message)
  })

  test('and malformed JSON with its position', () => {
    expect(errorOf(() => parse('{"messages":[}'))).toMatchObject({ code: 'invalid_json', position: 13 })
  })
})

test('unknown fields are passed over, whatever they hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(generationOf({ x_unknown: value, messages: [{ ...hello, x_unknown: value }] })).toEqual(generationOf({}))
    }),
  )
})

test('messages, tools and tool calls reach the template as the client wrote them', () => {
  const generation = generate(parse(agentBody))
  expect(generation.messages).toEqual([
    { role: 'developer', content: 'Rules.' },
    { role: 'system', content: 'More.' },
    { role: 'user', content: expect.stringMatching(/^Handbook\n\[attachment:image:[0-9a-f]{32}\]$/) as string },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'f', arguments: '{ "b":1,"a":2}' }] },
    { role: 'tool', content: '42', toolCallId: 'c1' },
    { role: 'user', content: 'So?' },
    { role: 'system', content: 'Late.' },
  ])
  expect(generation.tools).toEqual([
    {
      name: 'f',
      parametersJson: '{"type":"object","b":1,"a":2}',
      pointer: '/tools/0',
    },
  ])
  expect(generation.toolChoice).toEqual({ name: 'f' })
})

test('P-10 equal attachments give equal text, and one differing byte another', () => {
  const textOf = (part: object): string | undefined =>
    generationOf({ messages: [{ role: 'user', content: [part] }] }).messages[0]?.content
  const image = (url: string, detail: string): object => ({ type: 'image_url', image_url: { url, detail } })
  const first = textOf(image('data:image/png;base64,AAAA', 'low'))
  expect(textOf({ image_url: { detail: 'low', url: 'data:image/png;base64,AAAA' }, type: 'image_url' })).toBe(first)
  expect(textOf(image('data:image/png;base64,AAAB', 'low'))).not.toBe(first)
  expect(textOf(image('data:image/png;base64,AAAA', 'high'))).not.toBe(first)
  expect(textOf({ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } })).toMatch(/^\[attachment:audio:/)
})

test('defaults are those of the API', () => {
  expect(generationOf({})).toMatchObject({
    toolChoice: 'auto',
    maxTokens: undefined,
    stop: [],
    topLogprobs: undefined,
    sampling: {
      temperature: 1,
      topP: 1,
      topK: 0,
      minP: 0,
      seed: undefined,
      frequencyPenalty: 0,
      presencePenalty: 0,
      repetitionPenalty: 1,
      logitBias: {},
    },
  })
})

test('settings are read, null is absent, the newer token limit wins', () => {
  const generation = generationOf({
    temperature: 0,
    top_p: 0.5,
    top_k: 40,
    min_p: null,
    seed: -7,
    frequency_penalty: -2,
    presence_penalty: 2,
    repetition_penalty: 1.1,
    logit_bias: { 42: -100, 7: 0.5 },
    max_tokens: 5,
    max_completion_tokens: 9,
    stop: ['a', 'b'],
    logprobs: true,
    top_logprobs: 3,
    n: 1,
    response_format: { type: 'text' },
    tool_choice: 'required',
  })
  expect(generation).toMatchObject({ maxTokens: 9, stop: ['a', 'b'], topLogprobs: 3, toolChoice: 'required' })
  expect(generation.sampling).toEqual({
    temperature: 0,
    topP: 0.5,
    topK: 40,
    minP: 0,
    seed: -7,
    frequencyPenalty: -2,
    presencePenalty: 2,
    repetitionPenalty: 1.1,
    logitBias: { 42: -100, 7: 0.5 },
  })
  expect(generationOf({ stop: 'x', logprobs: true }).topLogprobs).toBe(0)
})

describe('a setting out of range names its pointer, what is seen and what is allowed', () => {
  test.each([
    ['"temperature":3', '/temperature', '/temperature is 3, expected a number from 0 to 2'],
    ['"temperature":"1"', '/temperature', 'is a string, expected a number from 0 to 2'],
    ['"temperature":1e400', '/temperature', 'is 1e400, expected a number from 0 to 2'],
    ['"top_p":-0.1', '/top_p', 'is -0.1, expected a number from 0 to 1'],
    ['"seed":9223372036854775808', '/seed', 'is 9223372036854775808, expected an integer from -9007199254740991'],
    ['"max_tokens":0', '/max_tokens', 'is 0, expected an integer from 1 to 2147483647'],
    ['"max_tokens":1.5', '/max_tokens', 'is 1.5, expected an integer'],
    [`"max_completion_tokens":${'9'.repeat(60)}`, '/max_completion_tokens', `is ${'9'.repeat(24)}, expected`],
    ['"logit_bias":{"7":101}', '/logit_bias/7', 'is 101, expected a number from -100 to 100'],
    ['"logit_bias":{"secret":1}', '/logit_bias', 'a name that is no token id from 0 to 2147483647'],
    ['"repetition_penalty":0', '/repetition_penalty', 'is 0, expected a number above 0, up to 2'],
    [`"stop":${JSON.stringify(Array(17).fill('x'))}`, '/stop', 'has 17 strings, 16 allowed'],
    ['"stop":["a",""]', '/stop/1', 'expected a string of at least 1 character'],
    ['"top_logprobs":21,"logprobs":true', '/top_logprobs', 'is 21, expected an integer from 0 to 20'],
    ['"top_logprobs":5', '/top_logprobs', '/logprobs is not true'],
    ['"tool_choice":"any"', '/tool_choice', 'expected one of auto, none, required'],
    ['"stream_options":{"include_usage":1}', '/stream_options/include_usage', 'is 1, expected a boolean'],
    ['"messages":[{"role":"robot","content":"x"}]', '/messages/0/role', 'expected one of system, developer'],
    ['"messages":[{"role":"user","content":{}}]', '/messages/0/content', 'expected a string or an array'],
  ])('%s', (field, param, message) => {
    const prompt = parse(`{"model":"demo","messages":[{"role":"user","content":"secret"}],${field}}`)
    const error = errorOf(() => generate(prompt))
    expect(error).toMatchObject({ code: 'invalid_request', status: 400, param })
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('secret')
  })

  test('content may be absent only where an assistant called tools', () => {
    expect(errorOf(() => generationOf({ messages: [{ role: 'user' }] }))).toMatchObject({
      code: 'missing_field',
      param: '/messages/0/content',
    })
    expect(errorOf(() => generationOf({ messages: [{ role: 'assistant', content: null }] }))).toMatchObject({
      code: 'missing_field',
      param: '/messages/0/content',
    })
  })
})

test.each([
  [{ n: 2 }, '/n'],
  [{ response_format: { type: 'json_schema' } }, '/response_format/type'],
  [{ functions: [] }, '/functions'],
  [{ modalities: ['text', 'audio'] }, '/modalities/1'],
  [{ tools: [{ type: 'custom', custom: {} }] }, '/tools/0/type'],
  [{ tool_choice: { type: 'allowed_tools' } }, '/tool_choice/type'],
  [{ messages: [{ role: 'user', content: [{ type: 'video_url' }] }] }, '/messages/0/content/0/type'],
])('what a local model cannot honour is refused, not passed over: %j', (fields, param) => {
  expect(errorOf(() => generationOf(fields))).toMatchObject({ code: 'unsupported_feature', param })
})
