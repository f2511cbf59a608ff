import { expect, test } from 'vitest'
import type { Conversation } from '../../domain/conversation.ts'
import { encode, errorOf } from '../testing/generations.ts'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const hello = { role: 'user', content: 'hello' }
const read = (body: unknown): Conversation => dialect.read(dialect.parse(encode(body), {}))
const readFields = (fields: object): Conversation => read({ model: 'demo', messages: [hello], ...fields })

const body = `{"model":"demo","messages":[
  {"role":"developer","content":"Rules.","name":"r"},
  {"role":"user","content":[
    {"type":"text","text":"See","prompt_cache_breakpoint":{"mode":"explicit"}},
    {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
    {"type":"image_url","image_url":"https://example.com/a.png","cache_control":{"type":"ephemeral","ttl":"1h"}},
    {"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},
    {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}},
    {"type":"file","file":{"file_id":"file-1"}},
    {"type":"video_url","video_url":{"url":"x"}}]},
  {"role":"assistant","reasoning_content":"H\\u006dm","content":"On it","refusal":null,"tool_calls":[
    {"id":"c1","type":"function","function":{"name":"f","arguments":"{ \\"b\\":1,\\"a\\":2}"}}]},
  {"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"42","cache_control":{"type":"ephemeral"}}]},
  {"role":"assistant","content":null,"refusal":"No."}],
  "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object", "b":1,"a":2},"strict":true},
    "cache_control":{"type":"ephemeral"}},{"type":"custom","custom":{"name":"g"}}],
  "prompt_cache_options":{"mode":"explicit","ttl":"12h"},"prompt_cache_key":"k"}`

test('D-9 D-11 turns keep order, pointers, marks and the bytes of arguments', () => {
  const { turns } = read(body)
  expect(turns).toEqual([
    {
      role: 'developer',
      pointer: '/messages/0',
      name: 'r',
      blocks: [{ kind: 'text', pointer: '/messages/0/content', text: 'Rules.' }],
    },
    {
      role: 'user',
      pointer: '/messages/1',
      name: undefined,
      blocks: [
        { kind: 'text', pointer: '/messages/1/content/0', text: 'See', mark: { ttl: '12h' } },
        {
          kind: 'image',
          pointer: '/messages/1/content/1',
          source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' },
          detail: 'low',
        },
        {
          kind: 'image',
          pointer: '/messages/1/content/2',
          source: { kind: 'url', url: 'https://example.com/a.png' },
          detail: undefined,
          mark: { ttl: '1h' },
        },
        { kind: 'audio', pointer: '/messages/1/content/3', data: 'UklG', format: 'wav' },
        {
          kind: 'document',
          pointer: '/messages/1/content/4',
          source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBE' },
          title: 'a.pdf',
        },
        {
          kind: 'document',
          pointer: '/messages/1/content/5',
          source: { kind: 'file', id: 'file-1' },
          title: undefined,
        },
        {
          kind: 'opaque',
          pointer: '/messages/1/content/6',
          type: 'video_url',
          json: '{"type":"video_url","video_url":{"url":"x"}}',
        },
      ],
    },
    {
      role: 'assistant',
      pointer: '/messages/2',
      name: undefined,
      blocks: [
        {
          kind: 'thinking',
          pointer: '/messages/2/reasoning_content',
          text: 'Hmm',
          signature: undefined,
          json: '{"reasoning_content":"H\\u006dm"}',
        },
        { kind: 'text', pointer: '/messages/2/content', text: 'On it' },
        { kind: 'tool-call', pointer: '/messages/2/tool_calls/0', id: 'c1', name: 'f', arguments: '{ "b":1,"a":2}' },
      ],
    },
    {
      role: 'tool',
      pointer: '/messages/3',
      name: undefined,
      blocks: [
        {
          kind: 'tool-result',
          pointer: '/messages/3',
          callId: 'c1',
          blocks: [{ kind: 'text', pointer: '/messages/3/content/0', text: '42', mark: { ttl: undefined } }],
          isError: false,
        },
      ],
    },
    {
      role: 'assistant',
      pointer: '/messages/4',
      name: undefined,
      blocks: [{ kind: 'refusal', pointer: '/messages/4/refusal', text: 'No.' }],
    },
  ])
})

test('D-4 tools keep the bytes of their schemas; other types stay whole', () => {
  expect(read(body).tools).toEqual([
    {
      kind: 'function',
      pointer: '/tools/0',
      name: 'f',
      description: 'd',
      schemaJson: '{"type":"object", "b":1,"a":2}',
      strict: true,
      deferLoading: false,
      mark: { ttl: undefined },
    },
    {
      kind: 'hosted',
      pointer: '/tools/1',
      type: 'custom',
      json: '{"type":"custom","custom":{"name":"g"}}',
      mark: undefined,
    },
  ])
})

test('settings are read in every spelling, and nothing is made up', () => {
  const { settings } = readFields({
    max_completion_tokens: 9,
    temperature: 0,
    stop: 'x',
    tool_choice: 'required',
    parallel_tool_calls: false,
    response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { type: 'object' } } },
    reasoning_effort: 'low',
    thinking: { type: 'enabled', budget_tokens: 4_096 },
    verbosity: 'high',
    service_tier: 'flex',
    safety_identifier: 's',
    logprobs: true,
    stream_options: { include_usage: true },
  })
  expect(settings).toMatchObject({
    maxOutputTokens: 9,
    temperature: 0,
    topP: undefined,
    logitBias: undefined,
    stop: ['x'],
    toolChoice: 'required',
    parallelToolCalls: false,
    format: {
      kind: 'schema',
      pointer: '/response_format/json_schema/schema',
      name: 'n',
      strict: true,
      schemaJson: '{"type":"object"}',
    },
    reasoning: { effort: 'low', budgetTokens: 4_096, thinking: 'enabled', summary: undefined },
    verbosity: 'high',
    serviceTier: 'flex',
    user: 's',
    topLogprobs: 0,
    includeUsage: true,
  })
  expect(readFields({}).settings).toMatchObject({ reasoning: undefined, format: undefined, toolChoice: undefined })
  expect(readFields({ reasoning: { effort: 'high', max_tokens: 10 } }).settings.reasoning).toMatchObject({
    effort: 'high',
    budgetTokens: 10,
  })
})

test('S-6 what a request says of the prefix cache: implicit unless it says explicit', () => {
  expect(readFields({}).cache).toEqual({
    key: undefined,
    retention: undefined,
    mode: undefined,
    automatic: { ttl: undefined },
  })
  expect(read(body).cache).toEqual({ key: 'k', retention: undefined, mode: 'explicit', automatic: undefined })
  expect(readFields({ prompt_cache_options: { mode: 'implicit', ttl: '12h' } }).cache).toMatchObject({
    mode: 'implicit',
    automatic: { ttl: '12h' },
  })
  expect(readFields({ cache_control: { type: 'ephemeral', ttl: '1h' } }).cache.automatic).toEqual({ ttl: '1h' })
  expect(readFields({ prompt_cache_retention: '24h' }).cache.retention).toBe('24h')
})

test('members without a place of their own are kept as they stand, in order; defaults and null are not', () => {
  const { extras, warnings } = read(
    `{"metadata":{ "b":"1","a":"2"},"model":"demo","n":1,"modalities":["text"],"store":true,"seed":1,"x/y":[ 1 ],
      "logit_bias":null,"top_a":null,"prompt_cache_isolation_key":"t","messages":[{"role":"user","content":"x"}]}`,
  )
  expect(extras).toEqual([
    { name: 'metadata', pointer: '/metadata', json: '{ "b":"1","a":"2"}' },
    { name: 'store', pointer: '/store', json: 'true' },
    { name: 'x/y', pointer: '/x~1y', json: '[ 1 ]' },
  ])
  expect(warnings).toEqual([])
})

test('a form that only this dialect knows stays whole among the extra members', () => {
  const toolChoice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } }
  const grammar = { type: 'grammar', grammar: 'root ::= "x"' }
  const { extras, settings } = readFields({ n: 2, tool_choice: toolChoice, response_format: grammar, reasoning: true })
  expect(settings).toMatchObject({ toolChoice: undefined, format: undefined, reasoning: undefined })
  expect(extras).toEqual([
    { name: 'n', pointer: '/n', json: '2' },
    { name: 'tool_choice', pointer: '/tool_choice', json: JSON.stringify(toolChoice) },
    { name: 'response_format', pointer: '/response_format', json: JSON.stringify(grammar) },
    { name: 'reasoning', pointer: '/reasoning', json: 'true' },
  ])
})

test('every member that reading leaves out is a warning, wherever it stands', () => {
  const { warnings } = read({
    model: 'demo',
    messages: [
      { role: 'assistant', content: 'x', function_call: {}, annotations: null },
      { role: 'user', content: [{ type: 'text', text: 'x', voice: 1 }], mood: 'good' },
    ],
    tools: [{ type: 'function', function: { name: 'f', color: 1 } }],
    prompt_cache_options: { prewarm: true },
  })
  expect(warnings.map(({ code, where }) => [code, where])).toEqual([
    ['field_not_carried', '/messages/0/function_call'],
    ['field_not_carried', '/messages/1/mood'],
    ['field_not_carried', '/messages/1/content/0/voice'],
    ['field_not_carried', '/tools/0/function/color'],
    ['field_not_carried', '/prompt_cache_options/prewarm'],
  ])
})

test('a mark on a message stands at its last block', () => {
  const { turns } = read({
    model: 'demo',
    messages: [
      { ...hello, cache_control: { type: 'ephemeral' } },
      { role: 'tool', tool_call_id: 'c', content: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ],
  })
  expect(turns).toMatchObject([
    { blocks: [{ text: 'hello', mark: { ttl: undefined } }] },
    { blocks: [{ kind: 'tool-result', mark: { ttl: '1h' } }] },
  ])
})

test.each([
  [{ cache_control: 'ephemeral' }, '/cache_control', 'a string, expected an object'],
  [{ cache_control: { ttl: '2h' } }, '/cache_control/ttl', 'expected one of 5m, 30m, 1h, 12h'],
  [{ prompt_cache_options: { mode: 'auto' } }, '/prompt_cache_options/mode', 'expected one of implicit, explicit'],
  [{ prompt_cache_key: 7 }, '/prompt_cache_key', 'is 7, expected a string'],
  [{ reasoning: { max_tokens: -1 } }, '/reasoning/max_tokens', 'is -1, expected an integer'],
  [{ parallel_tool_calls: 'no' }, '/parallel_tool_calls', 'expected a boolean'],
])('a wrong value is refused with its pointer: %j', (fields, param, message) => {
  const error = errorOf(() => readFields(fields))
  expect(error).toMatchObject({ code: 'invalid_request', param })
  expect(error.message).toContain(message)
})

test('breakpoints of the client are found in both spellings', () => {
  const part = { type: 'text', text: 'x' }
  const content = [
    { ...part, cache_control: { type: 'ephemeral', ttl: '1h' } },
    { ...part, cache_control: { type: 'ephemeral' } },
    { ...part, cache_control: null },
    { ...part, prompt_cache_breakpoint: { mode: 'explicit' } },
  ]
  const { breakpoints } = dialect.parse(encode({ model: 'demo', messages: [{ role: 'user', content }] }), {})
  expect(breakpoints.map(({ pointer, ttl }) => [pointer, ttl])).toEqual([
    ['/messages/0/content/0', '1h'],
    ['/messages/0/content/1', '5m'],
    ['/messages/0/content/3', '30m'],
  ])
})
