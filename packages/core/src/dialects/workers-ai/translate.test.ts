import { expect, test } from 'vitest'
import type { Conversation } from '../../domain/conversation.ts'
import type { MarkRules } from '../../domain/dialect.ts'
import { unreportedUsage } from '../../domain/usage.ts'
import { createOpenaiChat } from '../openai-chat/index.ts'
import { contextOf, encode, errorOf, fixture, fold, readStream, streamed } from '../testing/generations.ts'
import { createWorkersAi } from './index.ts'

const dialect = createWorkersAi()
const chat = createOpenaiChat()
const marks: MarkRules = { field: 'none', max: 0, ttls: [], automatic: false }
const parse = (body: unknown) => dialect.parse(encode(body), { pathModel: '@cf/x' })
const prompt = parse({ prompt: 'Hi', stream: true })
const warm = { prompt_tokens: 1_200, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 1_024 } }
const buckets = { ...unreportedUsage, fresh: 176, read: 1_024, output: 3 }

test('a lone prompt is one user turn, with the token limit of the API said aloud', () => {
  const { turns, settings, extras, model } = dialect.read(prompt)
  expect(model).toBe('@cf/x')
  expect(turns).toEqual([
    { role: 'user', pointer: '/prompt', name: undefined, blocks: [{ kind: 'text', pointer: '/prompt', text: 'Hi' }] },
  ])
  expect(settings.maxOutputTokens).toBe(256)
  expect(extras).toEqual([])
})

test('a prompt beside messages is an extra member, and so is what only this API has', () => {
  const body = { prompt: 'Hi', messages: [{ role: 'user', content: 'x' }], lora: 'l', raw: false, image: [1] }
  expect(dialect.read(parse(body)).extras.map(({ name }) => name)).toEqual(['prompt', 'lora', 'image'])
})

function writeFrom(body: string) {
  const conversation: Conversation = chat.read(chat.parse(encode(body), {}))
  const written = dialect.write(conversation, { model: '@cf/x', marks })
  return {
    text: new TextDecoder().decode(written.body),
    codes: written.warnings.map(({ code, where }) => [code, where]),
  }
}

test('D-4 D-9 D-10 a chat body becomes a run body: model left to the path, bytes kept, marks told', () => {
  const { text, codes } = writeFrom(`{"model":"m","max_tokens":7,"top_k":3,"user":"u","store":true,"messages":[
    {"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{ \\"b\\":1}"}}]},
    {"role":"tool","tool_call_id":"c","content":"4"}],
    "tools":[{"type":"function","function":{"name":"f","parameters":{"z":1, "a":2}}}]}`)
  expect(text).toBe(
    '{"max_tokens":7,"top_k":3,' +
      '"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1, "a":2}}}],' +
      '"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":null,' +
      '"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{ \\"b\\":1}"}}]},' +
      '{"role":"tool","tool_call_id":"c","content":"4"}]}',
  )
  expect(codes).toEqual([
    ['mark_not_carried', '/messages/0/content/0'],
    ['field_not_carried', 'user'],
    ['field_not_carried', '/store'],
  ])
})

test('what is written is taken by this dialect and means the same', () => {
  const { text } = writeFrom(
    '{"model":"m","temperature":0.5,"stop":["x"],"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"}]}',
  )
  const again = dialect.read(parse(text))
  expect(again.settings).toMatchObject({ temperature: 0.5, stop: ['x'] })
  expect(again.turns).toMatchObject([{ role: 'system' }, { role: 'user' }])
})

test('D-43 frames of an upstream are read, whole numbers among them, with their usage', () => {
  const { events } = readStream(dialect, fixture('workers-ai/upstream-frames.sse'))
  const streamed = fold(events)
  const whole = dialect.readAnswer({ result: { response: 'Hello 7', usage: warm }, success: true })
  expect(streamed).toEqual(whole)
  expect(whole.usage?.buckets).toEqual(buckets)
})

test('newer models answer as a chat completion does, whole and streamed', () => {
  const message = { role: 'assistant', content: 'Yes', reasoning_content: 'Hm' }
  const whole = dialect.readAnswer({ result: { choices: [{ message, finish_reason: 'length' }], usage: warm } })
  const transcript =
    'data: {"choices":[{"delta":{"reasoning_content":"Hm"}}]}\n\ndata: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"length"}]}\n\n' +
    `data: {"choices":[],"usage":${JSON.stringify(warm)}}\n\ndata: [DONE]\n\n`
  expect(fold(readStream(dialect, transcript).events)).toEqual(whole)
  expect(whole).toMatchObject({
    stop: 'length',
    blocks: [
      { kind: 'thinking', text: 'Hm' },
      { kind: 'text', text: 'Yes' },
    ],
  })
})

test('calls of tools come with arguments as objects, whole and streamed', () => {
  const calls = [{ name: 'f', arguments: { a: 1 } }]
  const whole = dialect.readAnswer({ result: { response: null, tool_calls: calls } })
  expect(whole).toMatchObject({
    stop: 'tool-calls',
    blocks: [{ kind: 'tool-call', id: 'call_0', name: 'f', arguments: '{"a":1}' }],
  })
  const transcript = `data: {"response":null,"tool_calls":${JSON.stringify(calls)}}\n\ndata: [DONE]\n\n`
  expect(fold(readStream(dialect, transcript).events)).toEqual(whole)
})

test('D-9 a call of a model leaves in the bytes it was written in, and reads back, whole and streamed', () => {
  const call = { kind: 'tool-call', id: 'c', name: 'f', arguments: '{ "b":1,"a":2}' } as const
  const answer = {
    id: undefined,
    model: undefined,
    blocks: [{ kind: 'text', text: 'On it', logprobs: undefined } as const, call],
    stop: 'tool-calls' as const,
    stopSequence: undefined,
    usage: { buckets: buckets as typeof unreportedUsage, reasoningTokens: undefined },
  }
  const body = dialect.answer(answer, contextOf(prompt))
  expect(body).toContain('"tool_calls":[{"id":"c","name":"f","arguments":{ "b":1,"a":2}}]')
  const compact = [answer.blocks[0], { ...call, arguments: '{"b":1,"a":2}' }]
  expect(dialect.readAnswer(JSON.parse(body))).toEqual({ ...answer, blocks: compact })
  const sent = streamed(dialect, prompt, [
    { kind: 'start', id: undefined, model: undefined, usage: undefined },
    { kind: 'text-delta', text: 'On it' },
    { kind: 'ping' },
    { kind: 'tool-start', index: 0, id: 'c', name: 'f' },
    { kind: 'tool-delta', index: 0, json: '{ "b":1,' },
    { kind: 'tool-delta', index: 0, json: '"a":2}' },
    { kind: 'finish', stop: 'tool-calls', stopSequence: undefined, usage: answer.usage },
  ])
  expect(sent).toContain('"arguments":{ "b":1,"a":2}')
  expect(fold(readStream(dialect, sent).events)).toEqual({ ...answer, blocks: compact })
})

test('arguments that are no JSON leave as text', () => {
  const blocks = [{ kind: 'tool-call', id: 'c', name: 'f', arguments: '{"a":' } as const]
  const answer = {
    id: undefined,
    model: undefined,
    blocks,
    stop: 'end',
    stopSequence: undefined,
    usage: undefined,
  } as const
  expect(dialect.answer(answer, contextOf(prompt))).toContain('"arguments":"{\\"a\\":"')
})

test('an envelope with errors is a fault, whole and inside a stream', () => {
  const body = '{"success":false,"errors":[{"code":3040,"message":"no capacity"}],"result":null,"messages":[]}'
  const fault = { type: undefined, code: '3040', message: 'no capacity', param: undefined }
  expect(dialect.readFault(429, body)).toEqual(fault)
  expect(readStream(dialect, `data: {"response":"So"}\n\ndata: ${body}\n\n`)).toMatchObject({ fault })
  expect(dialect.readFault(400, '{"error":{"message":"no"}}').message).toBe('no')
  expect(dialect.readFault(502, '<html>').message).toContain('6 characters')
})

test.each([
  [401, 401, 10000],
  [404, 404, 5007],
  [429, 429, 3040],
  [529, 503, 3040],
  [504, 504, 3007],
  [500, 500, 5000],
  [400, 400, 5006],
])('the fault of another dialect with status %d leaves in the envelope', (status, sent, code) => {
  const rendered = dialect.fault({ type: 'x', code: undefined, message: 'busy', param: '/p' }, status, 'req_1')
  expect(rendered.status).toBe(sent)
  expect(JSON.parse(rendered.body)).toEqual({
    success: false,
    errors: [{ code, message: 'busy', param: '/p', request_id: 'req_1' }],
    result: null,
    messages: [],
  })
})

test.each([[null], ['x'], [{ result: null }], [{ result: {} }]])(
  'an answer without a response is none: %j',
  (answer) => {
    expect(errorOf(() => dialect.readAnswer(answer))).toMatchObject({ code: 'upstream_failed' })
  },
)
