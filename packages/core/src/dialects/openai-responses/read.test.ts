import { describe, expect, test } from 'vitest'
import type { Conversation } from '../../domain/conversation.ts'
import { encode, errorOf } from '../testing/generations.ts'
import { createOpenaiResponses } from './index.ts'

const dialect = createOpenaiResponses()
const read = (body: unknown): Conversation => dialect.read(dialect.parse(encode(body), {}))
const readFields = (fields: object): Conversation => read({ model: 'demo', input: 'hello', ...fields })

const history = `{"model":"demo","instructions":"Be brief.","input":[
  {"role":"developer","content":[{"type":"input_text","text":"Rules.","prompt_cache_breakpoint":{"mode":"explicit"}}]},
  {"role":"user","content":[
    {"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"},
    {"type":"input_image","file_id":"file-1"},
    {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"},
    {"type":"input_file","file_url":"https://example.com/b.pdf"},
    {"type":"input_audio","input_audio":{"data":"CCCC","format":"wav"}}]},
  {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}],"encrypted_content":"enc" , "x":1.0},
  {"type":"message","role":"assistant","id":"msg_1","status":"completed","content":[
    {"type":"output_text","text":"Looking.","annotations":[]},{"type":"refusal","refusal":"No."}]},
  {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{ \\"b\\":1.0,\\"a\\":2}"},
  {"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"42","prompt_cache_breakpoint":{"mode":"explicit"}}]},
  {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search"}},
  {"type":"custom_tool_call_output","call_id":"c2","output":"x"},
  {"type":"additional_tools","role":"developer","tools":[]},
  {"role":"assistant","content":"Done."}]}`

test('every kind of item has its place in a conversation', () => {
  const { turns } = read(history)
  expect(turns.map(({ role, pointer }) => [role, pointer])).toEqual([
    ['system', '/instructions'],
    ['developer', '/input/0'],
    ['user', '/input/1'],
    ['assistant', '/input/2'],
    ['tool', '/input/5'],
    ['assistant', '/input/6'],
    ['user', '/input/7'],
    ['developer', '/input/8'],
    ['assistant', '/input/9'],
  ])
  expect(turns[2]?.blocks).toEqual([
    {
      kind: 'image',
      pointer: '/input/1/content/0',
      source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' },
      detail: 'low',
    },
    { kind: 'image', pointer: '/input/1/content/1', source: { kind: 'file', id: 'file-1' }, detail: undefined },
    {
      kind: 'document',
      pointer: '/input/1/content/2',
      source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' },
      title: 'a.pdf',
    },
    {
      kind: 'document',
      pointer: '/input/1/content/3',
      source: { kind: 'url', url: 'https://example.com/b.pdf' },
      title: undefined,
    },
    { kind: 'audio', pointer: '/input/1/content/4', data: 'CCCC', format: 'wav' },
  ])
})

test('what the model thought, said and called is one turn', () => {
  expect(read(history).turns[3]?.blocks).toEqual([
    {
      kind: 'thinking',
      pointer: '/input/2',
      text: 'One.\n\nTwo.',
      signature: 'enc',
      json: '{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}],"encrypted_content":"enc" , "x":1.0}',
    },
    { kind: 'text', pointer: '/input/3/content/0', text: 'Looking.' },
    { kind: 'refusal', pointer: '/input/3/content/1', text: 'No.' },
    { kind: 'tool-call', pointer: '/input/4', id: 'c1', name: 'f', arguments: '{ "b":1.0,"a":2}' },
  ])
})

test('D-9 arguments of past tool calls keep their own bytes', () => {
  const args = '{"z": 1e2, "a":"\\u00e9",  "z":2}'
  const input = [{ type: 'function_call', call_id: 'c', name: 'f', arguments: args }]
  expect(read({ model: 'demo', input }).turns[0]?.blocks).toMatchObject([{ arguments: args }])
})

test('items that only this API knows are kept as they are, without marks and labels', () => {
  const input = `[{"role":"user","content":"x"},
    {"type":"computer_call_output", "incipit":{"segment":"user_message"},"output":{"type":"computer_screenshot","prompt_cache_breakpoint":{"mode":"explicit"}, "é":1.0}}]`
  const { turns } = read(`{"model":"demo","input":${input}}`)
  expect(turns[1]).toMatchObject({ role: 'user' })
  expect(turns[1]?.blocks).toEqual([
    {
      kind: 'opaque',
      pointer: '/input/1',
      type: 'computer_call_output',
      json: '{"type":"computer_call_output","output":{"type":"computer_screenshot", "é":1.0}}',
      mark: { ttl: undefined },
    },
  ])
})

test('D-10 D-11 breakpoints are marks of their blocks, with the life of the request', () => {
  const { turns } = read(history)
  expect(turns[1]?.blocks).toMatchObject([{ kind: 'text', mark: { ttl: undefined } }])
  expect(turns[4]?.blocks).toMatchObject([
    { kind: 'tool-result', callId: 'c1', blocks: [{ mark: { ttl: undefined } }] },
  ])
  const body = JSON.parse(history) as object
  const long = read({ ...body, prompt_cache_options: { ttl: '12h' } })
  expect(long.turns[1]?.blocks).toMatchObject([{ mark: { ttl: '12h' } }])
})

test('the implicit mode is a mark that moves along; the explicit one is none', () => {
  const cacheOf = (fields: object): Conversation['cache'] => readFields(fields).cache
  expect(cacheOf({})).toEqual({ key: undefined, retention: undefined, mode: undefined, automatic: { ttl: undefined } })
  expect(
    cacheOf({ prompt_cache_key: 'k', prompt_cache_retention: '24h', prompt_cache_options: { mode: 'explicit' } }),
  ).toEqual({ key: 'k', retention: '24h', mode: 'explicit', automatic: undefined })
  expect(cacheOf({ prompt_cache_options: { mode: 'implicit', ttl: '12h' } })).toMatchObject({
    mode: 'implicit',
    automatic: { ttl: '12h' },
  })
})

test('D-4 tools are read with the schema as the client wrote it', () => {
  const tools = `[{"type":"function","name":"f","description":"d","parameters":{"z":1.0, "a":{"b":1,"a":2}},"strict":true,"defer_loading":true},
    {"type":"function","name":"g","parameters":null},{"type":"web_search", "x":1}]`
  expect(read(`{"model":"demo","input":"x","tools":${tools}}`).tools).toEqual([
    {
      kind: 'function',
      pointer: '/tools/0',
      name: 'f',
      description: 'd',
      schemaJson: '{"z":1.0, "a":{"b":1,"a":2}}',
      strict: true,
      deferLoading: true,
      mark: undefined,
    },
    {
      kind: 'function',
      pointer: '/tools/1',
      name: 'g',
      description: undefined,
      schemaJson: undefined,
      strict: undefined,
      deferLoading: false,
      mark: undefined,
    },
    { kind: 'hosted', pointer: '/tools/2', type: 'web_search', json: '{"type":"web_search", "x":1}', mark: undefined },
  ])
})

test('a client that expects chat chunks may wrap its tools and ask for usage as in chat', () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
  const conversation = readFields({ tools, stream: true, stream_options: { include_usage: true } })
  expect(conversation.tools).toMatchObject([{ kind: 'function', name: 'f', schemaJson: '{"type":"object"}' }])
  expect(conversation.settings.includeUsage).toBe(true)
})

test('settings are read, and null is absent', () => {
  const schema = { type: 'object', properties: { b: {}, a: {} } }
  const { settings, warnings } = readFields({
    max_output_tokens: 99,
    temperature: 0,
    top_p: null,
    top_k: 40,
    seed: 7,
    stop: ['x'],
    include: ['message.output_text.logprobs'],
    top_logprobs: 3,
    tool_choice: { type: 'function', name: 'f' },
    parallel_tool_calls: false,
    text: { format: { type: 'json_schema', name: 'n', schema, strict: true }, verbosity: 'low' },
    reasoning: { effort: 'high', summary: 'auto' },
    service_tier: 'flex',
    safety_identifier: 'u1',
  })
  expect(settings).toMatchObject({
    maxOutputTokens: 99,
    temperature: 0,
    topP: undefined,
    topK: 40,
    seed: 7,
    stop: ['x'],
    topLogprobs: 3,
    toolChoice: { name: 'f' },
    parallelToolCalls: false,
    format: { kind: 'schema', name: 'n', schemaJson: JSON.stringify(schema), strict: true },
    reasoning: { effort: 'high', summary: 'auto', budgetTokens: undefined, thinking: undefined },
    verbosity: 'low',
    serviceTier: 'flex',
    user: 'u1',
  })
  expect(warnings).toEqual([])
})

test('a prompt that is only to be stored is one with no output', () => {
  const { settings } = readFields({ max_output_tokens: 50, prompt_cache_options: { prewarm: true } })
  expect(settings.maxOutputTokens).toBe(0)
})

test('members without a place of their own are extras, the client bytes', () => {
  const { extras } = read(`{"model":"demo","input":"x","metadata":{ "b":1.0},"store":true,"background":null,"user":"u",
    "safety_identifier":"s","tool_choice":{"type":"allowed_tools","mode":"auto","tools":[]},
    "include":["reasoning.encrypted_content"],"prompt_cache_isolation_key":"i","x":1,"x":2e0}`)
  expect(extras.map(({ name, json }) => [name, json])).toEqual([
    ['metadata', '{ "b":1.0}'],
    ['store', 'true'],
    ['safety_identifier', '"s"'],
    ['tool_choice', '{"type":"allowed_tools","mode":"auto","tools":[]}'],
    ['include', '["reasoning.encrypted_content"]'],
    ['x', '2e0'],
  ])
})

test('what a conversation has no place for is a warning', () => {
  const { warnings } = read({
    model: 'demo',
    input: [
      { role: 'assistant', phase: 'commentary', content: [{ type: 'output_text', text: 'x', annotations: [{}] }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', namespace: 'n' },
    ],
    tools: [{ type: 'function', name: 'f', parameters: {}, strict: false, output_schema: {} }],
    reasoning: { effort: 'low', mode: 'pro' },
    text: { other: 1 },
    prompt_cache_options: { comparison_response_id: 'resp_1' },
  })
  expect(warnings.map(({ code, where }) => [code, where])).toEqual([
    ['field_not_carried', '/prompt_cache_options/comparison_response_id'],
    ['field_not_carried', '/input/0/phase'],
    ['field_not_carried', '/input/0/content/0/annotations'],
    ['field_not_carried', '/input/1/namespace'],
    ['field_not_carried', '/text/other'],
    ['field_not_carried', '/reasoning/mode'],
    ['field_not_carried', '/tools/0/output_schema'],
  ])
})

describe('what the provider keeps cannot be carried elsewhere', () => {
  test.each([
    [{ previous_response_id: 'resp_secret' }, '/previous_response_id'],
    [{ conversation: 'conv_secret' }, '/conversation'],
    [{ conversation: { id: 'conv_secret' } }, '/conversation'],
    [{ prompt: { id: 'pmpt_secret' } }, '/prompt'],
  ])('%j', (fields, param) => {
    const error = errorOf(() => readFields(fields))
    expect(error).toMatchObject({ code: 'unsupported_feature', param })
    expect(error.message).not.toContain('secret')
  })
})

test.each([
  [{ input: 'hello' }, '/model'],
  [{ model: 'demo' }, '/input'],
  [{ model: 'demo', input: null }, '/input'],
])('nobody but the provider can fill in what is left out: %j', (body, param) => {
  expect(errorOf(() => read(body))).toMatchObject({ code: 'missing_field', param })
})

describe('a wrong value names its pointer, what is seen and what is allowed', () => {
  test.each([
    [{ input: [] }, '/input', '/input has 0 elements, expected at least 1'],
    [{ instructions: ['secret'] }, '/instructions', 'is an array, expected a string'],
    [{ temperature: 3 }, '/temperature', 'is 3, expected a number from 0 to 2'],
    [{ repetition_penalty: 0 }, '/repetition_penalty', 'is 0, expected a number above 0, up to 2'],
    [{ max_output_tokens: 0 }, '/max_output_tokens', 'is 0, expected an integer from 1'],
    [{ top_logprobs: 21 }, '/top_logprobs', 'is 21, expected an integer from 0 to 20'],
    [{ tool_choice: 'any' }, '/tool_choice', 'expected one of auto, none, required'],
    [{ text: { format: { type: 'grammar' } } }, '/text/format/type', 'expected one of text, json_object, json_schema'],
    [{ tools: [{ type: 'function' }] }, '/tools/0/name', 'missing'],
    [{ prompt_cache_options: { ttl: '2h' } }, '/prompt_cache_options/ttl', 'expected one of 5m, 30m, 1h, 12h'],
    [{ input: [{ role: 'robot', content: 'secret' }] }, '/input/0/role', 'expected one of user, assistant'],
    [{ input: [{ role: 'user', content: 7 }] }, '/input/0/content', 'is 7, expected a string or an array'],
    [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, '/input/0/content/0/text', 'missing'],
    [{ input: [{ type: 'function_call', name: 'f' }] }, '/input/0/arguments', 'missing'],
    [{ input: [{ type: 'function_call_output', call_id: 'c' }] }, '/input/0/output', 'missing'],
  ])('%j', (fields, param, message) => {
    const error = errorOf(() => readFields(fields))
    expect(error).toMatchObject({ param, status: 400 })
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('secret')
  })
})
