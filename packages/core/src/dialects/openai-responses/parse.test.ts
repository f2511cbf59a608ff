import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Prompt } from '../../domain/prompt.ts'
import { scanJson } from '../../json/scan-json.ts'
import { encode, errorOf, slice } from '../testing/generations.ts'
import { createOpenaiResponses, looksLikeResponses } from './index.ts'

const dialect = createOpenaiResponses()
const parse = (body: unknown): Prompt => dialect.parse(encode(body), {})
const hello = { role: 'user', content: 'hello' }

const agentBody = `{ "input" : [
  {"type":"message","role":"developer","content":"Rules."}, {"role":"system","content":[{"type":"input_text","text":"More."}]},
  {"role":"user","content":[
    {"type":"input_text","text":"Handbook","incipit":{"segment":"knowledge_context"}},
    {"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"}]},
  {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"abc"},
  {"type":"function_call","call_id":"c1","name":"f","arguments":"{ \\"b\\":1,\\"a\\":2}"},
  {"type":"function_call_output","call_id":"c1","output":"42"},
  {"type":"web_search_call","id":"ws_1","status":"completed"},
  {"type":"custom_tool_call_output","call_id":"c2","output":"x"},
  {"role":"user","content":"So?"}, {"id":"msg_9"} ],
  "instructions": "Be brief.",
  "model":"demo","stream":true,
  "tools":[{"type":"function","name":"f","parameters":{"type":"object","b":1,"a":2}},{"type":"web_search"}],
  "tool_choice": {"type":"function", "name":"f"}, "reasoning":{"effort":"low"}, "truncation":null,
  "prompt_cache_isolation_key":"","safety_identifier":"u1","metadata":{"user_id":"m1"},"conversation":{"id":"v1"},"prompt_cache_key":"k1" }`

test('segments come in the order rendered: tools, instructions, items; with spans of the client bytes', () => {
  const prompt = parse(agentBody)
  expect(prompt.segments.map(({ kind, role, pointer }) => [kind, role, pointer])).toEqual([
    ['tools', 'tool', '/tools/0'],
    ['tools', 'tool', '/tools/1'],
    ['system_instructions', 'system', '/instructions'],
    ['system_instructions', 'developer', '/input/0'],
    ['system_instructions', 'system', '/input/1'],
    ['knowledge_context', 'user', '/input/2/content/0'],
    ['conversation_history', 'user', '/input/2/content/1'],
    ['conversation_history', 'assistant', '/input/3'],
    ['conversation_history', 'assistant', '/input/4'],
    ['conversation_history', 'tool', '/input/5'],
    ['conversation_history', 'assistant', '/input/6'],
    ['conversation_history', 'user', '/input/7'],
    ['user_message', 'user', '/input/8'],
    ['conversation_history', 'assistant', '/input/9'],
  ])
  expect(slice(prompt, prompt.segments[1]?.span)).toBe('{"type":"web_search"}')
  expect(slice(prompt, prompt.segments[2]?.span)).toBe('"Be brief."')
})

test('an input that is a string is one user message', () => {
  const prompt = parse({ model: 'demo', input: 'hi "there"' })
  expect(prompt.segments).toMatchObject([{ kind: 'user_message', role: 'user', pointer: '/input' }])
  expect(slice(prompt, prompt.segments[0]?.span)).toBe('"hi \\"there\\""')
})

test('P-9 F-2 F-3 profile, identity, isolation key, model and stream are read raw', () => {
  const prompt = parse(agentBody)
  expect(prompt).toMatchObject({ dialect: 'openai-responses', model: 'demo', stream: true, isolationKey: '' })
  expect(prompt.profile).toEqual({
    tool_choice: '{"type":"function", "name":"f"}',
    reasoning: '{"effort":"low"}',
    conversation: '{"id":"v1"}',
  })
  expect(prompt.identity).toEqual({ promptCacheKey: 'k1', conversation: 'v1', user: 'u1', metadataUserId: 'm1' })
  expect(
    parse({ model: 'demo', input: 'x', conversation: 'v2', user: 'u2', safety_identifier: 'u3' }).identity,
  ).toEqual({
    promptCacheKey: undefined,
    conversation: 'v2',
    user: 'u2',
    metadataUserId: undefined,
  })
})

test('P-5 a model in the path wins over the one in the body', () => {
  expect(dialect.parse(encode({ model: 'body', input: 'x' }), { pathModel: 'path' }).model).toBe('path')
})

test('P-10 images, files and audio are found with pointer and span, in tool results too', () => {
  const output = [
    { type: 'input_text', text: 'x' },
    { type: 'input_image', file_id: 'file-1' },
  ]
  const prompt = parse({
    model: 'demo',
    input: [
      { role: 'user', content: [{ type: 'input_audio' }, { type: 'input_file' }] },
      { type: 'function_call_output', call_id: 'c', output },
      { type: 'computer_call_output', call_id: 'd', output: { type: 'computer_screenshot', file_id: 'file-2' } },
    ],
  })
  const attachments = prompt.segments.flatMap((segment) => segment.attachments)
  expect(attachments.map(({ kind, pointer }) => [kind, pointer])).toEqual([
    ['audio', '/input/0/content/0'],
    ['file', '/input/0/content/1'],
    ['image', '/input/1/output/1'],
    ['image', '/input/2/output'],
  ])
  expect(slice(prompt, attachments[2]?.span)).toBe('{"type":"input_image","file_id":"file-1"}')
})

test('S-1 a label on an item sets the kind of the whole item', () => {
  const labelled = { ...hello, incipit: { segment: 'policy_preamble' } }
  const kinds = parse({ model: 'demo', input: [labelled, hello] }).segments.map((segment) => segment.kind)
  expect(kinds).toEqual(['policy_preamble', 'user_message'])
})

test('S-6 marks and labels are holes in their segments: what is left is what is rendered', () => {
  const plain = `{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"x"}]}`
  const marked = `{"incipit":{"segment":"user_message"},"type":"function_call_output","call_id":"c","output":[{"type":"input_text","prompt_cache_breakpoint":{"mode":"explicit"},"text":"x"}]}`
  const contents = [plain, marked].map((item) => {
    const prompt = parse(`{"model":"demo","input":[${item}]}`)
    const [segment] = prompt.segments
    const holes = segment?.holes ?? []
    const ends = [...holes.map((hole) => hole.start), segment?.span.end ?? 0]
    const starts = [segment?.span.start ?? 0, ...holes.map((hole) => hole.end)]
    return starts.map((start, index) => slice(prompt, { start, end: ends[index] ?? start })).join('')
  })
  expect(contents).toEqual([plain, plain])
})

test('S-6 explicit breakpoints are found on parts of messages, tool results and screenshots', () => {
  const mark = { prompt_cache_breakpoint: { mode: 'explicit' } }
  const input = [
    {
      role: 'developer',
      content: [
        { type: 'input_text', text: 'x' },
        { type: 'input_text', text: 'y', ...mark },
      ],
    },
    { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'z', ...mark }] },
    { type: 'computer_call_output', call_id: 'd', output: { type: 'computer_screenshot', ...mark } },
  ]
  const prompt = parse({ model: 'demo', input })
  expect(prompt.breakpoints).toMatchObject([
    { pointer: '/input/0/content/1', ttl: '30m', origin: 'client' },
    { pointer: '/input/1/output/0', ttl: '30m' },
    { pointer: '/input/2/output', ttl: '30m' },
  ])
  expect(slice(prompt, { start: 0, end: prompt.breakpoints[0]?.end ?? 0 })).toMatch(/"explicit"}}$/)
  expect(parse({ model: 'demo', input, prompt_cache_options: { ttl: '12h' } }).breakpoints[0]?.ttl).toBe('12h')
})

test('spacing and escapes change neither what is found nor where it is said to be', () => {
  const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/)
  const shape = (prompt: Prompt): unknown => ({
    segments: prompt.segments.map(({ kind, role, pointer, attachments }) => [kind, role, pointer, attachments.length]),
    breakpoints: prompt.breakpoints.map(({ pointer, ttl }) => [pointer, ttl]),
    identity: prompt.identity,
    model: prompt.model,
  })
  const tokens = agentBody.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g) ?? []
  const escaped = (token: string): string =>
    // The first letter of a name or value, written as an escape, is still that letter.
    token.replace(/^"([a-z])/, (_, letter: string) => `"\\u00${letter.charCodeAt(0).toString(16)}`)
  const expected = shape(parse(agentBody))
  fc.assert(
    fc.property(fc.infiniteStream(space), fc.infiniteStream(fc.boolean()), (spaces, escapes) => {
      const body = tokens.map((token) => {
        const next = escapes.next().value === true ? escaped(token) : token
        return next + String(spaces.next().value)
      })
      const prompt = parse(body.join(''))
      expect(shape(prompt)).toEqual(expected)
      for (const { span, pointer } of prompt.segments) {
        const node = scanJson(prompt.body).at(pointer)
        expect(JSON.parse(slice(prompt, span))).toEqual(scanJson(prompt.body).value(node ?? -1))
      }
    }),
    { numRuns: 50 },
  )
})

test('unknown fields are passed over, whatever they hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const prompt = parse({ model: 'demo', input: [{ ...hello, x_unknown: value }], x_unknown: value })
      expect(prompt.segments).toMatchObject([{ kind: 'user_message', pointer: '/input/0', attachments: [] }])
    }),
  )
})

describe('a body that is no Responses request is refused with pointer, what is seen and what is expected', () => {
  test.each([
    [[], 'invalid_request', '', 'the body is an array, expected an object'],
    [{ model: '', input: 'x' }, 'invalid_request', '/model', '/model is an empty string'],
    [{ model: 'demo', input: 7 }, 'invalid_request', '/input', '/input is 7, expected a string or an array'],
    [{ model: 'demo', input: ['x'] }, 'invalid_request', '/input/0', '/input/0 is a string, expected an object'],
    [{ model: 'demo', input: [{ content: 'x' }] }, 'missing_field', '/input/0/role', 'missing'],
    [{ model: 'demo', input: [hello], tools: {} }, 'invalid_request', '/tools', 'is an object, expected an array'],
    [{ model: 'demo', input: 'x', stream: 'yes' }, 'invalid_request', '/stream', 'expected a boolean'],
    [
      { model: 'demo', input: [{ ...hello, incipit: { segment: 'tools' } }] },
      'invalid_request',
      '/input/0/incipit/segment',
      'expected one of system_instructions',
    ],
  ])('%j', (body, code, param, message) => {
    const error = errorOf(() => parse(body))
    expect(error).toMatchObject({ code, param, status: 400 })
    expect(error.message).toContain(message)
  })

  test('but what the provider may keep may be absent: the input, and the model', () => {
    expect(parse({ model: 'demo' }).segments).toEqual([])
    expect(parse({ prompt: { id: 'pmpt_1' } })).toMatchObject({ model: '', segments: [] })
    expect(parse({ model: 'demo', previous_response_id: 'resp_1', instructions: 'x' }).segments).toHaveLength(1)
  })
})

test.each([
  [{ input: [] }, true],
  [{ input: 'x', messages: null }, true],
  [{ messages: [], input: 'x' }, false],
  [{ messages: [] }, false],
  [{ input: null }, false],
  [[{ input: 'x' }], false],
])('a Responses body on the path of chat is told by its shape: %j', (body, expected) => {
  expect(looksLikeResponses(scanJson(encode(body)))).toBe(expected)
})
