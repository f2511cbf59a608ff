import { expect, test } from 'vitest'
import { anEmulator, post } from '../testing/emulators.ts'

const user = { role: 'user', content: 'hello' }
const called = {
  role: 'assistant',
  tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'x', arguments: '{}' } }],
}
const tools = [{ type: 'function', function: { name: 'find' } }]
const loose = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false, required: [] }

test.each<[string, object, string | null, string | null]>([
  ['no messages', { messages: undefined }, 'messages', 'missing_required_parameter'],
  ['an empty list of messages', { messages: [] }, 'messages', 'empty_array'],
  ['messages that are none', { messages: 'x' }, 'messages', 'invalid_type'],
  ['a role that is none', { messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role', 'invalid_value'],
  ['a user without content', { messages: [{ role: 'user' }] }, 'messages[0].content', 'invalid_type'],
  [
    'a part without a type',
    { messages: [{ role: 'user', content: [{}] }] },
    'messages[0].content[0].type',
    'missing_required_parameter',
  ],
  [
    'a result without its call',
    { messages: [user, { role: 'tool', tool_call_id: 'x', content: '' }] },
    'messages.[1].role',
    null,
  ],
  ['a call without its result', { messages: [user, called, user] }, 'messages.[2].role', null],
  ['stream options without a stream', { stream_options: { include_usage: true } }, 'stream_options', null],
  [
    'a forced tool that is not there',
    { tools, tool_choice: { type: 'function', function: { name: 'none' } } },
    'tool_choice',
    null,
  ],
  [
    'a tool without a name',
    { tools: [{ type: 'function', function: {} }] },
    'tools[0].function.name',
    'missing_required_parameter',
  ],
  [
    'a strict function with an optional property',
    { tools: [{ type: 'function', function: { name: 'x', strict: true, parameters: loose } }] },
    'tools[0].function.parameters',
    'invalid_function_parameters',
  ],
  [
    'a format without a name',
    { response_format: { type: 'json_schema', json_schema: {} } },
    'response_format.json_schema.name',
    'missing_required_parameter',
  ],
  ['no choices', { n: 0 }, 'n', 'invalid_value'],
])('chat: %s is refused with param and code', async (_name, change, param, code) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const { status, json } = await post(emulator, '/v1/chat/completions', {
    model: 'gpt-4o',
    messages: [user],
    ...change,
  })
  expect(status).toBe(400)
  expect(json).toEqual({ error: { message: expect.any(String), type: 'invalid_request_error', param, code } })
})

test.each<[string, object, string, string | null]>([
  ['no input', { input: undefined }, 'input', 'missing_required_parameter'],
  ['a field of chat', { messages: [user] }, 'messages', 'unknown_parameter'],
  [
    'a previous response that is not there',
    { previous_response_id: 'resp_none' },
    'previous_response_id',
    'previous_response_not_found',
  ],
  [
    'an output without its call',
    { input: [{ type: 'function_call_output', call_id: 'x', output: '' }] },
    'input',
    null,
  ],
  [
    'a breakpoint on instructions',
    { instructions: [{ type: 'input_text', text: 'x' }] },
    'instructions',
    'invalid_type',
  ],
  [
    'a format without a schema',
    { text: { format: { type: 'json_schema', name: 'x' } } },
    'text.format.schema',
    'missing_required_parameter',
  ],
])('Responses: %s is refused with param and code', async (_name, change, param, code) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const { status, json } = await post(emulator, '/v1/responses', { model: 'gpt-5.6-sol', input: 'hello', ...change })
  expect(status).toBe(400)
  expect(json).toMatchObject({ error: { param, code } })
})

test('responses of another organisation are not there', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const { json } = await post(emulator, '/v1/responses', { model: 'gpt-5', input: 'hello' })
  const statusFor = async (key: string): Promise<number> =>
    (await fetch(`${emulator.url}/v1/responses/${String(json['id'])}`, { headers: { authorization: `Bearer ${key}` } }))
      .status
  expect(await statusFor('test')).toBe(200)
  expect(await statusFor('other')).toBe(404)
})

test('without a key it is 401, with a wrong one invalid_api_key, elsewhere 404', async () => {
  const emulator = await anEmulator({ kind: 'openai', options: { keys: { good: { org: 'acme' } } } })
  const ask = async (path: string, headers: Record<string, string>): Promise<[number, unknown]> => {
    const response = await fetch(`${emulator.url}${path}`, { headers })
    return [response.status, ((await response.json()) as { error?: { code: unknown } }).error?.code]
  }
  expect(await ask('/v1/models', {})).toEqual([401, null])
  expect(await ask('/v1/models', { authorization: 'Bearer bad' })).toEqual([401, 'invalid_api_key'])
  expect(await ask('/v1/models', { authorization: 'Bearer good' })).toEqual([200, undefined])
  expect(await ask('/v1/none', { authorization: 'Bearer good' })).toEqual([404, null])
})
