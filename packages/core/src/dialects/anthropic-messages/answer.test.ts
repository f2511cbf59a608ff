import type { Message } from '@anthropic-ai/sdk/resources/messages'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Answer, StopReason } from '../../domain/answer.ts'
import { IncipitError } from '../../domain/errors.ts'
import { tokenCount } from '../../domain/units.ts'
import { inputTokens, unreportedUsage } from '../../domain/usage.ts'
import { contextOf, errorOf } from '../testing/generations.ts'
import { messagesPrompt } from '../testing/messages-bodies.ts'
import { createAnthropicMessages } from './index.ts'
import { mergeUsage } from './usage.ts'

const dialect = createAnthropicMessages()
const context = contextOf(messagesPrompt({ messages: [{ role: 'user', content: 'q' }] }))
const plain: Answer = {
  id: 'msg_1',
  model: 'claude-opus-5-20260801',
  blocks: [{ kind: 'text', text: 'Hello', logprobs: undefined }],
  stop: 'end',
  stopSequence: undefined,
  usage: undefined,
}
const render = (answer: Partial<Answer>): Message =>
  JSON.parse(dialect.answer({ ...plain, ...answer }, context)) as Message

describe('answers', () => {
  test('a message has every kind of block, arguments in the model own bytes', () => {
    const blocks: Answer['blocks'] = [
      { kind: 'thinking', text: 'hm', signature: 's' },
      { kind: 'thinking', text: 'from elsewhere', signature: undefined },
      { kind: 'redacted-thinking', data: 'd' },
      { kind: 'text', text: '', logprobs: undefined },
      { kind: 'refusal', text: 'no' },
      { kind: 'tool-call', id: 't1', name: 'f', arguments: '{ "b":1, "a":2.50}' },
      { kind: 'tool-call', id: 't2', name: 'g', arguments: '' },
    ]
    const json = dialect.answer({ ...plain, blocks, stop: 'tool-calls' }, context)
    expect(json).toContain('"input":{ "b":1, "a":2.50}')
    expect(JSON.parse(json)).toMatchObject({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-5',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 's' },
        { type: 'thinking', thinking: 'from elsewhere', signature: '' },
        { type: 'redacted_thinking', data: 'd' },
        { type: 'text', text: 'no' },
        { type: 'tool_use', id: 't1', name: 'f' },
        { type: 'tool_use', id: 't2', name: 'g', input: {} },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
    })
  })

  test('an id of another API becomes ours', () => {
    expect(render({ id: 'chatcmpl-1' }).id).toBe(`msg_${context.id}`)
    expect(render({ id: undefined }).id).toBe(`msg_${context.id}`)
  })

  test('D-41 D-42 counts are told apart: fresh, read, and writes by life', () => {
    const buckets = {
      fresh: tokenCount(1),
      read: tokenCount(2),
      write5m: tokenCount(4),
      write30m: tokenCount(8),
      write1h: tokenCount(16),
      write12h: tokenCount(32),
      output: tokenCount(64),
    }
    expect(render({ usage: { buckets, reasoningTokens: tokenCount(5) } }).usage).toEqual({
      input_tokens: 1,
      cache_read_input_tokens: 2,
      cache_creation_input_tokens: 60,
      cache_creation: { ephemeral_5m_input_tokens: 12, ephemeral_1h_input_tokens: 48 },
      output_tokens: 64,
      output_tokens_details: { thinking_tokens: 5 },
    })
  })

  test('what was not reported is null, and 0 only where the API requires a number', () => {
    expect(render({ usage: undefined }).usage).toEqual({
      input_tokens: 0,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      output_tokens: 0,
    })
  })

  test('a rendered answer reads back', () => {
    const stops = fc.constantFrom<StopReason>('end', 'length', 'stop-sequence', 'tool-calls', 'refusal', 'pause')
    fc.assert(
      fc.property(stops, fc.string({ minLength: 1 }), fc.nat(1000), (stop, text, fresh) => {
        const usage = {
          buckets: { ...unreportedUsage, fresh: tokenCount(fresh + 1), output: tokenCount(3) },
          reasoningTokens: undefined,
        }
        const answer: Answer = {
          ...plain,
          model: context.model,
          stop,
          usage,
          blocks: [{ kind: 'text', text, logprobs: undefined }],
        }
        expect(dialect.readAnswer(JSON.parse(dialect.answer(answer, context)))).toEqual(answer)
      }),
    )
  })

  test('what is no message is told as a failure of the upstream', () => {
    for (const wrong of [null, 'x', {}, { content: 'text' }]) {
      expect(errorOf(() => dialect.readAnswer(wrong)).code).toBe('upstream_failed')
    }
  })

  test('blocks of tools that the provider runs are passed over, an unknown end is an end', () => {
    const content = [
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
      { type: 'text', text: 'a' },
    ]
    expect(dialect.readAnswer({ content, stop_reason: 'later_reason' })).toMatchObject({
      blocks: [{ kind: 'text', text: 'a' }],
      stop: 'end',
    })
  })
})

describe('usage', () => {
  const split = (short: number, long: number): object => ({
    ephemeral_5m_input_tokens: short,
    ephemeral_1h_input_tokens: long,
  })
  test.each([
    [
      'all counts',
      {
        input_tokens: 31,
        cache_read_input_tokens: 9216,
        cache_creation_input_tokens: 480,
        cache_creation: split(400, 80),
      },
      [31, 9216, 400, 80],
    ],
    ['the aggregate alone', { input_tokens: 31, cache_creation_input_tokens: 480 }, [31, undefined, 480, undefined]],
    [
      'an aggregate above its parts',
      { input_tokens: 1, cache_creation_input_tokens: 480, cache_creation: split(0, 80) },
      [1, undefined, 400, 80],
    ],
    ['no aggregate', { input_tokens: 1, cache_creation: split(7, 80) }, [1, undefined, 7, 80]],
    [
      'null counts',
      { input_tokens: 5, cache_read_input_tokens: null, cache_creation: null },
      [5, undefined, undefined, undefined],
    ],
    ['a prompt read whole', { input_tokens: 0, cache_read_input_tokens: 900 }, [0, 900, undefined, undefined]],
    [
      'no counts at all, but zeros',
      { input_tokens: 0, cache_read_input_tokens: 0 },
      [undefined, undefined, undefined, undefined],
    ],
    ['no count but words', { input_tokens: '5' }, [undefined, undefined, undefined, undefined]],
  ])('D-41 D-42 %s', (_, input, [fresh, read, write5m, write1h]) => {
    expect(dialect.usage({ ...input, output_tokens: 12 })).toEqual({
      buckets: { ...unreportedUsage, fresh, read, write5m, write1h, output: 12 },
      reasoningTokens: undefined,
    })
  })

  test('D-41 the buckets add up to the provider own total', () => {
    fc.assert(
      fc.property(fc.nat(9999), fc.nat(9999), fc.nat(9999), fc.nat(9999), (fresh, read, short, long) => {
        const raw = {
          input_tokens: fresh + 1,
          cache_read_input_tokens: read,
          cache_creation_input_tokens: short + long,
          cache_creation: split(short, long),
        }
        const buckets = dialect.usage(raw)?.buckets
        expect(buckets && inputTokens(buckets)).toBe(fresh + 1 + read + short + long)
      }),
    )
  })

  test('nothing reported is no usage', () => {
    expect([dialect.usage({}), dialect.usage({ input_tokens: 0, output_tokens: 0 })]).toEqual([undefined, undefined])
  })

  test('D-43 the larger of repeated counts wins and null takes nothing back', () => {
    const first = { input_tokens: 7, cache_read_input_tokens: 5, cache_creation: split(3, 0), output_tokens: 1 }
    const later = { input_tokens: 0, cache_read_input_tokens: null, cache_creation: split(0, 2), output_tokens: 9 }
    expect(mergeUsage(first, later)).toEqual({
      input_tokens: 7,
      cache_read_input_tokens: 5,
      cache_creation: split(3, 2),
      output_tokens: 9,
    })
  })

  test('the usage object is found in answers and in both events that have one', () => {
    const raw = { input_tokens: 1 }
    const holders = [{ usage: raw }, { type: 'message_start', message: { usage: raw } }]
    expect(holders.map((holder) => dialect.rawUsage(holder))).toEqual([raw, raw])
    expect([null, {}, { usage: null }].map((holder) => dialect.rawUsage(holder))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('errors', () => {
  test.each([
    ['invalid_request', 'invalid_request_error'],
    ['invalid_key', 'authentication_error'],
    ['forbidden', 'permission_error'],
    ['unknown_model', 'not_found_error'],
    ['body_too_large', 'request_too_large'],
    ['internal', 'api_error'],
    ['overloaded', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
  ] as const)('%s is a %s', (code, type) => {
    const { status, body } = dialect.error(new IncipitError(code, 'seen 5, 4 allowed'), 'req_1')
    expect(status).toBe(new IncipitError(code, '').status)
    const parsed = JSON.parse(body) as { error: { message: string } }
    expect(parsed).toMatchObject({ type: 'error', error: { type, code }, request_id: 'req_1' })
    expect(parsed.error.message).toMatch(/^seen 5, 4 allowed\. /)
  })

  test.each([
    [
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}',
      'overloaded_error',
      'Overloaded',
    ],
    ['{"error":{"message":"too fast","type":"rate_limit","code":"slow_down","param":null}}', 'rate_limit', 'too fast'],
    ['{"error":"gone"}', undefined, 'gone'],
    ['{"message":"no such model"}', undefined, 'no such model'],
    ['<html>Bad gateway</html>', undefined, '<html>Bad gateway</html>'],
    ['', undefined, 'the upstream answered 502 and said nothing'],
  ])('an error body is understood whatever it holds: %s', (body, type, message) => {
    expect(dialect.readFault(502, body)).toMatchObject({ type, message })
  })

  test('a long body that is no JSON is cut', () => {
    expect(dialect.readFault(500, 'x'.repeat(9999)).message).toHaveLength(300)
  })

  test('a fault keeps its own type where this API has it, else the one of its status', () => {
    const fault = { type: 'rate_limit_error', code: undefined, message: 'm', param: undefined }
    const typeOf = (type: string, status: number): unknown =>
      (JSON.parse(dialect.fault({ ...fault, type }, status, 'r').body) as { error: { type: string } }).error.type
    expect(typeOf('rate_limit_error', 529)).toBe('rate_limit_error')
    expect(typeOf('server_error', 529)).toBe('overloaded_error')
    expect(typeOf('invalid_request', 400)).toBe('invalid_request_error')
    expect(dialect.fault({ ...fault, code: 'slow_down' }, 429, 'r')).toMatchObject({ status: 429 })
  })
})
