import { expect, test } from 'vitest'
import { anEmulator, post } from '../testing/emulators.ts'

const mark = { cache_control: { type: 'ephemeral' } }
const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } }
const text = (content: string, more: object = {}): object => ({ type: 'text', text: content, ...more })
const user = (...content: object[]): object => ({ role: 'user', content })
const call = { type: 'tool_use', id: 'toolu_1', name: 'find', input: {} }
const tool = { name: 'find', input_schema: { type: 'object' } }
const base = { model: 'claude-opus-5', max_tokens: 10, messages: [user(text('hello'))] }
const five = Array.from({ length: 5 }, () => text('x', mark))

test.each<[string, object, string]>([
  ['an unknown field', { incipit: {} }, 'incipit: Extra inputs are not permitted'],
  ['a beta field without its header', { context_management: {} }, 'context_management: Extra inputs are not permitted'],
  ['mcp_servers without its header', { mcp_servers: [] }, 'mcp_servers: Extra inputs are not permitted'],
  [
    'an unknown member of a block',
    { messages: [user(text('x', { incipit: 1 }))] },
    'messages.0.content.0.text.incipit: Extra inputs are not permitted',
  ],
  ['no max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
  ['no messages', { messages: [] }, 'messages: at least one message is required'],
  [
    'an assistant first',
    { messages: [{ role: 'assistant', content: 'x' }] },
    'messages: first message must use the "user" role',
  ],
  ['a system message first', { messages: [{ role: 'system', content: 'x' }] }, 'Unexpected role "system"'],
  [
    'a role that is none',
    { messages: [{ role: 'tool', content: 'x' }] },
    "messages.0.role: Input should be 'user' or 'assistant'",
  ],
  ['an empty text block', { messages: [user(text(''))] }, 'messages: text content blocks must be non-empty'],
  [
    'D-16 a mark on an empty text block',
    { messages: [user(text('', mark))] },
    'messages.0.content.0.text: cache_control cannot be set for empty text blocks',
  ],
  [
    'D-13 five marks',
    { messages: [user(...five)] },
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  ['D-13 four marks and the automatic one', { ...mark, messages: [user(...five.slice(1), text('end'))] }, 'Found 5.'],
  [
    'the automatic mark with another ttl',
    { ...hour, messages: [user(text('x', mark))] },
    'cache_control: the last cacheable block already has',
  ],
  [
    'D-15 an hour after five minutes',
    { system: [text('x', mark)], messages: [user(text('y', hour))] },
    "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
  ],
  [
    'D-15 an automatic hour after five minutes',
    { ...hour, system: [text('x', mark)] },
    "a ttl='1h' cache_control block must not come after",
  ],
  [
    'another ttl',
    { messages: [user(text('x', { cache_control: { type: 'ephemeral', ttl: '2h' } }))] },
    "ttl: Input should be '5m' or '1h'",
  ],
  [
    'D-18 a mark on a deferred tool',
    { tools: [{ ...tool, ...mark, defer_loading: true }] },
    "Tool 'find' cannot have both defer_loading=true and cache_control set",
  ],
  [
    'D-17 a mark on a thinking block',
    {
      messages: [
        user(text('x')),
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 'x', ...mark }] },
      ],
    },
    'messages.1.content.0.thinking.cache_control: Extra inputs are not permitted',
  ],
  [
    'a mark inside a tool result',
    {
      messages: [
        user(text('x')),
        { role: 'assistant', content: [call] },
        user({ type: 'tool_result', tool_use_id: 'toolu_1', content: [text('y', mark)] }),
      ],
    },
    'messages.2.content.0.tool_result.content.0.text.cache_control: Extra inputs are not permitted',
  ],
  [
    'a call without its result',
    { messages: [user(text('x')), { role: 'assistant', content: [call] }, user(text('y'))] },
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.',
  ],
  [
    'a result without its call',
    { messages: [user({ type: 'tool_result', tool_use_id: 'toolu_2' })] },
    'unexpected `tool_use_id` found in `tool_result` blocks: toolu_2',
  ],
  [
    'a forced tool that is not there',
    { tools: [tool], tool_choice: { type: 'tool', name: 'none' } },
    "Tool 'none' not found in provided tools",
  ],
  ['a tool without a schema', { tools: [{ name: 'x' }] }, 'tools.0.custom.input_schema: Field required'],
  ['a prewarm that streams', { max_tokens: 0, stream: true }, 'stream: cannot be used with max_tokens: 0'],
  [
    'a prewarm that thinks',
    { max_tokens: 0, thinking: { type: 'adaptive' } },
    'thinking: cannot be used with max_tokens: 0',
  ],
  [
    'a prewarm with a format',
    { max_tokens: 0, output_config: { format: { type: 'json_schema', schema: {} } } },
    'output_config.format: cannot be used',
  ],
  [
    'a prewarm that forces a tool',
    { max_tokens: 0, tools: [tool], tool_choice: { type: 'any' } },
    'tool_choice: cannot be used with max_tokens: 0',
  ],
  [
    'forced tools while thinking',
    { tools: [tool], tool_choice: { type: 'any' }, thinking: { type: 'adaptive' } },
    'Thinking may not be enabled when tool_choice forces tool use.',
  ],
  ['a small thinking budget', { thinking: { type: 'enabled', budget_tokens: 10 } }, 'greater than or equal to 1024'],
])('P-1 %s is refused as there', async (_name, change, message) => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const { status, json, headers } = await post(emulator, '/v1/messages', { ...base, ...change })
  expect(status).toBe(400)
  expect(json).toMatchObject({
    type: 'error',
    error: { type: 'invalid_request_error', message: expect.stringContaining(message) },
  })
  expect(json['request_id']).toBe(headers.get('request-id'))
})

test('what needs a beta header is accepted with it', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const headers = { 'anthropic-beta': 'context-management-2025-06-27,mcp-client-2025-11-20' }
  const body = { ...base, context_management: {}, mcp_servers: [] }
  expect((await post(emulator, '/v1/messages?beta=true', body, headers)).status).toBe(200)
})

test('a system message in the middle is accepted where the model takes it', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const messages = [user(text('x')), { role: 'system', content: 'y' }, user(text('z'))]
  expect((await post(emulator, '/v1/messages', { ...base, messages })).status).toBe(200)
  expect((await post(emulator, '/v1/messages', { ...base, model: 'claude-sonnet-5', messages })).status).toBe(400)
})

test('without a key it is 401, without a version 400, elsewhere 404', async () => {
  const { url } = await anEmulator({ kind: 'anthropic' })
  const ask = async (path: string, headers: Record<string, string>): Promise<[number, string]> => {
    const response = await fetch(`${url}${path}`, { headers })
    return [response.status, ((await response.json()) as { error: { type: string } }).error.type]
  }
  expect(await ask('/v1/models', {})).toEqual([401, 'authentication_error'])
  expect(await ask('/v1/models', { 'x-api-key': 'k' })).toEqual([400, 'invalid_request_error'])
  expect(await ask('/v1/none', { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' })).toEqual([
    404,
    'not_found_error',
  ])
})

test('a body of more than 32 MiB is too large', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const { status, json } = await post(emulator, '/v1/messages', `{"x":"${'x'.repeat(32 * 1_024 * 1_024)}"}`)
  expect(status).toBe(413)
  expect(json).toMatchObject({ error: { type: 'request_too_large' } })
})
