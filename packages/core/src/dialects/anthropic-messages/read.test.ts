import { expect, test } from 'vitest'
import type { Conversation } from '../../domain/conversation.ts'
import { errorOf } from '../testing/generations.ts'
import { messagesPrompt } from '../testing/messages-bodies.ts'
import { createAnthropicMessages } from './index.ts'

const dialect = createAnthropicMessages()
const read = (body: string | object): Conversation => dialect.read(messagesPrompt(body))
const hello = { role: 'user', content: 'hello' }
const long = { type: 'ephemeral', ttl: '1h' }

test('tools keep their schemas in the client bytes, marks apart', () => {
  const { tools, warnings } = read(
    `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[
      {"name":"f","description":"d","input_schema":{ "b":1,"a":1.0},"cache_control":{"type":"ephemeral"},"eager_input_streaming":true},
      {"type":"web_search_20250305","name":"web_search","cache_control":{"type":"ephemeral","ttl":"1h"},"max_uses":1e2}]}`,
  )
  expect(tools).toEqual([
    {
      kind: 'function',
      pointer: '/tools/0',
      name: 'f',
      description: 'd',
      schemaJson: '{ "b":1,"a":1.0}',
      strict: undefined,
      deferLoading: false,
      mark: { ttl: undefined },
    },
    {
      kind: 'hosted',
      pointer: '/tools/1',
      type: 'web_search_20250305',
      json: '{"type":"web_search_20250305","name":"web_search","max_uses":1e2}',
      mark: { ttl: '1h' },
    },
  ])
  expect(warnings).toMatchObject([{ code: 'field_not_carried', where: '/tools/0/eager_input_streaming' }])
})

test('D-9 every kind of block is read, arguments in the client bytes', () => {
  const { turns } = read(`{"model":"m","system":[{"type":"text","text":"Rules."}],"messages":[
    {"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}},
      {"type":"document","title":"t","source":{"type":"text","media_type":"text/plain","data":"x"}},
      {"type":"document","source":{"type":"file","file_id":"file_1"}},
      {"type":"document","source":{"type":"content","content":"x"}}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},
      {"type":"tool_use","id":"t1","name":"f","input":{ "b":1, "a":1.50}},{"type":"server_tool_use","id":"s1","name":"web_search","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"no","cache_control":{"type":"ephemeral"}}]},
      {"type":"tool_result","tool_use_id":"t2"}]}]}`)
  expect(turns.map(({ role, pointer }) => [role, pointer])).toEqual([
    ['system', '/system'],
    ['user', '/messages/0'],
    ['assistant', '/messages/1'],
    ['user', '/messages/2'],
  ])
  expect(turns.slice(1).flatMap(({ blocks }) => blocks)).toMatchObject([
    { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AA' } },
    { kind: 'document', title: 't', source: { kind: 'text', text: 'x' } },
    { kind: 'document', source: { kind: 'file', id: 'file_1' } },
    { kind: 'opaque', type: 'document', json: '{"type":"document","source":{"type":"content","content":"x"}}' },
    { kind: 'thinking', text: 'hm', signature: 's', json: '{"type":"thinking","thinking":"hm","signature":"s"}' },
    { kind: 'redacted-thinking', data: 'd' },
    { kind: 'tool-call', id: 't1', name: 'f', arguments: '{ "b":1, "a":1.50}' },
    { kind: 'opaque', type: 'server_tool_use' },
    {
      kind: 'tool-result',
      callId: 't1',
      isError: true,
      blocks: [{ kind: 'text', text: 'no', pointer: '/messages/2/content/0/content/0', mark: { ttl: undefined } }],
    },
    { kind: 'tool-result', callId: 't2', isError: false, blocks: [] },
  ])
})

test('settings are read, and what has no place is an extra in the client order or a warning', () => {
  const { settings, extras, cache, warnings } = read(
    `{"zeta":{ "x":1 },"model":"m","max_tokens":0,"temperature":0.5,"top_p":1,"top_k":4,"stop_sequences":["a"],
      "tool_choice":{"type":"any","disable_parallel_tool_use":true},"thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"},
      "output_config":{"effort":"high","format":{"type":"json_schema","schema":{ "b":1,"a":2}}},"service_tier":"auto",
      "metadata":{"user_id":"u"},"cache_control":{"type":"ephemeral","ttl":"1h"},"container":"c","alpha":null,
      "messages":[{"role":"user","content":"x"}]}`,
  )
  expect(settings).toMatchObject({
    maxOutputTokens: 0,
    temperature: 0.5,
    topP: 1,
    topK: 4,
    stop: ['a'],
    toolChoice: 'required',
    parallelToolCalls: false,
    format: { kind: 'schema', schemaJson: '{ "b":1,"a":2}' },
    reasoning: { effort: 'high', budgetTokens: 2048, thinking: 'enabled' },
    serviceTier: 'auto',
    user: 'u',
  })
  expect(cache.automatic).toEqual({ ttl: '1h' })
  expect(extras).toEqual([
    { name: 'zeta', pointer: '/zeta', json: '{ "x":1 }' },
    { name: 'container', pointer: '/container', json: '"c"' },
  ])
  expect(warnings).toMatchObject([{ where: '/thinking/display' }])
})

test('D-27 effort alone says nothing of thinking, nor the limit of either', () => {
  expect(read({ output_config: { effort: 'low' }, messages: [hello] }).settings.reasoning).toEqual({
    effort: 'low',
    budgetTokens: undefined,
    thinking: undefined,
    summary: undefined,
  })
  expect(read({ messages: [hello] }).settings.reasoning).toBeUndefined()
})

test.each([
  ['/max_tokens', { max_tokens: -1 }],
  ['/max_tokens', { max_tokens: '5' }],
  ['/temperature', { temperature: 1.5 }],
  ['/tool_choice/type', { tool_choice: { type: 'function' } }],
  ['/tool_choice/name', { tool_choice: { type: 'tool' } }],
  ['/messages/0/content', { messages: [{ role: 'user' }] }],
  ['/messages/0/role', { messages: [{ role: 'tool', content: 'x' }] }],
  ['/messages/0/content/0/text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
  [
    '/messages/0/content/0/input',
    { messages: [{ role: 'user', content: [{ type: 'tool_use', id: 'a', name: 'f', input: 'x' }] }] },
  ],
  ['/system/0/type', { system: [{ type: 'image', source: { type: 'url', url: 'u' } }] }],
  [
    '/system/0/cache_control/ttl',
    { system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '2h' } }] },
  ],
  ['/cache_control/type', { cache_control: { ...long, type: 'lasting' } }],
  ['/tools/0/input_schema', { tools: [{ name: 'f', input_schema: 'x' }] }],
  ['/output_config/format/type', { output_config: { format: { type: 'json_object' } } }],
])('a wrong value is told by its pointer: %s', (param, fields) => {
  const error = errorOf(() => read({ messages: [hello], ...fields }))
  expect(error).toMatchObject({ param, status: 400 })
  expect(error.message).toContain(param)
})
