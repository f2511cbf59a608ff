import { expect, test } from 'vitest'
import { createAnthropicMessages } from '../anthropic-messages/index.ts'
import { createOpenaiChat } from '../openai-chat/index.ts'
import { createOpenaiResponses } from '../openai-responses/index.ts'
import { encode, hasher } from '../testing/generations.ts'
import type { CacheRequestOptions } from './cache-request.ts'
import { cacheRequest } from './cache-request.ts'

const minutes = (count: number): number => count * 60_000

function ask(
  make: typeof createOpenaiChat,
  body: object,
  rules: CacheRequestOptions['rules'] = 'native',
): ReturnType<typeof cacheRequest> {
  const dialect = make()
  const conversation = dialect.read(dialect.parse(encode({ model: 'm', ...body }), {}))
  return cacheRequest(conversation, { rules, dialect: dialect.name, hasher })
}

test('a request that marks nothing asks for nothing', () => {
  const messages = [{ role: 'user', content: 'x' }]
  expect(ask(createOpenaiChat, { messages })).toEqual({ request: undefined, warnings: [] })
  expect(ask(createAnthropicMessages, { messages, max_tokens: 1 })).toEqual({ request: undefined, warnings: [] })
  expect(ask(createOpenaiResponses, { input: 'x' })).toEqual({ request: undefined, warnings: [] })
})

test('P-1 marks of every kind pin what stands before them, for the life of the dialect', () => {
  const mark = { type: 'ephemeral' }
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'ab' },
        { type: 'text', text: 'cd', cache_control: mark },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 't', content: 'r' },
        { type: 'text', text: 'e' },
      ],
    },
  ]
  const tools = [{ name: 'f', input_schema: { type: 'object' }, cache_control: { ...mark, ttl: '1h' } }]
  const { request } = ask(createAnthropicMessages, { tools, messages, cache_control: mark, max_tokens: 1 })
  expect(request?.pins).toEqual([
    { place: { kind: 'tool', index: 0 }, ttlMs: minutes(60) },
    { place: { kind: 'text', message: 0, length: 5 }, ttlMs: minutes(5) },
    { place: { kind: 'text', message: 3, length: 1 }, ttlMs: minutes(5) },
  ])
})

test('P-2 breakpoints and retention pin over Chat and Responses', () => {
  const breakpoint = { prompt_cache_breakpoint: { mode: 'explicit' } }
  const chat = { messages: [{ role: 'user', content: [{ type: 'text', text: 'abc', ...breakpoint }] }] }
  expect(ask(createOpenaiChat, chat).request?.pins).toEqual([
    { place: { kind: 'text', message: 0, length: 3 }, ttlMs: minutes(30) },
  ])
  const input = [{ role: 'user', content: [{ type: 'input_text', text: 'abcd', ...breakpoint }] }]
  const options = { prompt_cache_options: { mode: 'explicit', ttl: '12h' } }
  expect(ask(createOpenaiResponses, { input, ...options }).request?.pins).toEqual([
    { place: { kind: 'text', message: 0, length: 4 }, ttlMs: minutes(720) },
  ])
  const kept = (retention: string): number | undefined =>
    ask(createOpenaiResponses, { input: 'x', prompt_cache_retention: retention }).request?.pins[0]?.ttlMs
  expect([kept('in_memory'), kept('24h')]).toEqual([minutes(10), minutes(1_440)])
})

test('of more than four marks the latest count, and what cannot be answered is a warning', () => {
  const content = [1, 2, 3, 4, 5].map((n) => ({ type: 'text', text: `${n}`, cache_control: { type: 'ephemeral' } }))
  const body = { messages: [{ role: 'user', content }], max_tokens: 1, diagnostics: { previous_message_id: null } }
  const { request, warnings } = ask(createAnthropicMessages, body)
  expect(request?.pins.map(({ place }) => place)).toEqual(
    [3, 5, 7, 9].map((length) => ({ kind: 'text', message: 0, length })),
  )
  expect(warnings.map(({ code, where }) => [code, where])).toEqual([
    ['mark_dropped', '/messages/0/content/0'],
    ['field_not_carried', '/diagnostics'],
  ])
  expect(() => ask(createAnthropicMessages, body, 'anthropic')).toThrow(/maximum of 4/)
})
