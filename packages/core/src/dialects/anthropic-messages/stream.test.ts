import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent, AnswerUsage } from '../../domain/answer.ts'
import { IncipitError } from '../../domain/errors.ts'
import { tokenCount } from '../../domain/units.ts'
import { unreportedUsage } from '../../domain/usage.ts'
import { contextOf, fixture } from '../testing/generations.ts'
import { messagesPrompt } from '../testing/messages-bodies.ts'
import { readStream, serverSentEvents } from '../testing/sse.ts'
import { createAnthropicMessages } from './index.ts'

const dialect = createAnthropicMessages()
const context = contextOf(messagesPrompt({ messages: [{ role: 'user', content: 'q' }] }))
const start: AnswerEvent = { kind: 'start', id: 'msg_1', model: context.model, usage: undefined }
const finish: AnswerEvent = { kind: 'finish', stop: 'end', stopSequence: undefined, usage: undefined }

function rendered(events: readonly AnswerEvent[]): string {
  const renderer = dialect.stream(context)
  return events.map((event) => renderer.event(event)).join('')
}

const names = (stream: string): string[] => serverSentEvents(stream).map(({ event }) => event ?? '')

interface Expected {
  readonly text: string
  readonly thinking?: string
  readonly calls?: readonly (readonly [id: string, name: string, args: string])[]
  readonly stop: string | null
  readonly stop_sequence?: string
  readonly reasoning_tokens?: number
  readonly fault?: object
  readonly usage: Readonly<Record<string, number | null>> | null
}

describe.each(['plain', 'thinking-tools', 'pings', 'error', 'null-usage', 'crlf'])('transcript %s', (name) => {
  const stream = fixture(`anthropic-messages/${name}.sse`)
  const expected = JSON.parse(fixture(`anthropic-messages/${name}.json`)) as Expected
  const { events, fault } = readStream(dialect.streamReader(), stream)
  const last = events.at(-1)
  const end = last?.kind === 'finish' ? last : undefined
  const joined = (kind: 'text-delta' | 'thinking-delta'): string =>
    events.map((event) => (event.kind === kind ? event.text : '')).join('')

  test('text, thinking, calls and end are read', () => {
    expect(joined('text-delta')).toBe(expected.text)
    expect(joined('thinking-delta')).toBe(expected.thinking ?? '')
    expect(end?.stop ?? null).toBe(expected.stop)
    expect(end?.stopSequence).toBe(expected.stop_sequence)
    const calls = events.flatMap((event) => (event.kind === 'tool-start' ? [event] : []))
    const argumentsOf = (index: number): string =>
      events.map((event) => (event.kind === 'tool-delta' && event.index === index ? event.json : '')).join('')
    expect(calls.map(({ id, name: called, index }) => [id, called, argumentsOf(index)])).toEqual(expected.calls ?? [])
    expect(fault && { type: fault.type, message: fault.message }).toEqual(expected.fault)
  })

  test('D-41 D-42 D-43 usage is read into disjoint buckets, unknown kept unknown', () => {
    expect(end?.usage === undefined ? null : wireBuckets(end.usage)).toEqual(expected.usage)
    expect(end?.usage?.reasoningTokens).toBe(expected.reasoning_tokens)
  })

  test('D-43 merging all usage objects of the stream and reading that gives the same', () => {
    const raws = serverSentEvents(stream).map(({ data }) => dialect.rawUsage(JSON.parse(data)))
    const merged: Record<string, unknown> = {}
    for (const raw of raws) {
      for (const [key, value] of Object.entries(raw ?? {})) {
        const before = merged[key]
        if (value !== null) merged[key] = typeof before === 'number' ? Math.max(before, Number(value)) : value
      }
    }
    expect(end === undefined ? undefined : dialect.usage(merged)).toEqual(end?.usage)
  })

  test('the marks find the first content and the end', () => {
    const { content, end: ends } = dialect.streamMarks
    const count = (marks: readonly string[]): number => marks.filter((mark) => stream.includes(mark)).length
    expect(count(content)).toBe(1)
    expect(count(ends)).toBe(expected.stop === null ? 0 : 1)
  })

  test('what is read renders to what reads the same', () => {
    const again = readStream(dialect.streamReader(), rendered(events))
    const whole = (list: readonly AnswerEvent[]): readonly AnswerEvent[] => list.filter(({ kind }) => kind !== 'ping')
    expect(whole(again.events)).toEqual(whole(events))
  })
})

test('a stream has the events of the API, blocks one after the other', () => {
  const stream = rendered([
    start,
    { kind: 'thinking-delta', text: 'hm' },
    { kind: 'thinking-signature', signature: 's' },
    { kind: 'redacted-thinking', data: 'd' },
    { kind: 'ping' },
    { kind: 'text-delta', text: 'a' },
    { kind: 'text-delta', text: '' },
    { kind: 'refusal-delta', text: 'b' },
    { kind: 'tool-start', index: 0, id: 't1', name: 'f' },
    { kind: 'tool-delta', index: 0, json: '{}' },
    { kind: 'tool-start', index: 1, id: 't2', name: 'g' },
    finish,
  ])
  const block = (deltas: number): string[] => [
    'content_block_start',
    ...Array.from({ length: deltas }, () => 'content_block_delta'),
    'content_block_stop',
  ]
  expect(names(stream)).toEqual([
    'message_start',
    ...block(2),
    ...block(0),
    'ping',
    ...block(2),
    ...block(1),
    ...block(0),
    'message_delta',
    'message_stop',
  ])
  for (const { event, data } of serverSentEvents(stream)) expect(JSON.parse(data)).toMatchObject({ type: event })
  const indices = serverSentEvents(stream).flatMap(({ event, data }) =>
    event === 'content_block_start' ? [(JSON.parse(data) as { index: number }).index] : [],
  )
  expect(indices).toEqual([0, 1, 2, 3, 4])
})

test('an error after the head is an error event of the API', () => {
  const error = new IncipitError('upstream_timeout', 'no byte for 30 s, 30 allowed')
  const [event] = serverSentEvents(dialect.stream(context).error(error))
  expect(event?.event).toBe('error')
  expect(JSON.parse(event?.data ?? '')).toMatchObject({ type: 'error', error: { type: 'timeout_error' } })
})

test('the reader sends what is owed when an upstream stops after its last word, and nothing when it breaks off', () => {
  const stream = fixture('anthropic-messages/plain.sse')
  const cut = readStream(dialect.streamReader(), stream.replace(/event: message_stop[^]*$/, ''))
  expect(cut.events.at(-1)).toMatchObject({ kind: 'finish', stop: 'end' })
  const broken = readStream(dialect.streamReader(), stream.replace(/event: message_delta[^]*$/, ''))
  expect(broken.events.at(-1)?.kind).toBe('text-delta')
})

test('what is no JSON is a fault, the last word of another dialect is not', () => {
  const reader = dialect.streamReader()
  expect(reader.read({ event: undefined, data: '{"type":' })).toMatchObject({ kind: 'fault' })
  expect(reader.read({ event: undefined, data: '[DONE]' })).toEqual({ kind: 'events', events: [] })
})

test('D-9 an input given whole at the start of its block is kept in the upstream bytes', () => {
  const data = `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{ "b":1, "a":2.50}}}`
  const step = dialect.streamReader().read({ event: 'content_block_start', data })
  expect(step).toMatchObject({ events: [{ kind: 'tool-start' }, { kind: 'tool-delta', json: '{ "b":1, "a":2.50}' }] })
})

const words = fc.string({ minLength: 1, maxLength: 6, unit: 'binary' })
const count = fc.nat(100_000).map(tokenCount)
const usages: fc.Arbitrary<AnswerUsage> = fc
  .record({
    fresh: fc.integer({ min: 1, max: 100_000 }).map(tokenCount),
    read: fc.option(count, { nil: undefined }),
    written: fc.option(fc.record({ write5m: count, write1h: count }), { nil: undefined }),
    output: count,
    reasoningTokens: fc.option(count, { nil: undefined }),
  })
  .map(({ fresh, read, written, output, reasoningTokens }) => {
    return { buckets: { ...unreportedUsage, fresh, read, ...written, output }, reasoningTokens }
  })
const textRun = fc
  .array(words, { maxLength: 3 })
  .map((list) => list.map((text): AnswerEvent => ({ kind: 'text-delta', text })))
const redactedRun = words.map((data): AnswerEvent[] => [{ kind: 'redacted-thinking', data }])
const thinkingRun = fc.tuple(words, words).map(([text, signature]): AnswerEvent[] => [
  { kind: 'thinking-delta', text },
  { kind: 'thinking-signature', signature },
])
const toolRun = fc
  .tuple(words, words, fc.array(words, { maxLength: 3 }))
  .map(([id, name, parts]): AnswerEvent[] => [
    { kind: 'tool-start', index: 0, id, name },
    ...parts.map((json): AnswerEvent => ({ kind: 'tool-delta', index: 0, json })),
  ])
const runs = fc.oneof(textRun, redactedRun, thinkingRun, toolRun, fc.constant<AnswerEvent[]>([{ kind: 'ping' }]))

/** Whole streams such as readers make: usage at the start or not, calls counted from 0. */
const streams: fc.Arbitrary<AnswerEvent[]> = fc
  .record({
    runs: fc.array(runs, { maxLength: 5 }),
    usage: fc.option(usages, { nil: undefined }),
    early: fc.boolean(),
    stop: fc.constantFrom('end', 'length', 'tool-calls', 'refusal', 'pause', 'context-exceeded'),
  })
  .map(({ runs: drawn, usage, early, stop }) => {
    let calls = -1
    const body = drawn.flat().map((event): AnswerEvent => {
      if (event.kind === 'tool-start') calls += 1
      return 'index' in event ? { ...event, index: calls } : event
    })
    const known = usage && { buckets: { ...usage.buckets, output: undefined }, reasoningTokens: undefined }
    return [{ ...start, usage: early ? known : undefined }, ...body, { ...finish, stop, usage }] as AnswerEvent[]
  })

test('reading what is rendered gives the same events', () => {
  fc.assert(
    fc.property(streams, (events) => {
      expect(readStream(dialect.streamReader(), rendered(events))).toEqual({ events, fault: undefined })
    }),
    { numRuns: 300 },
  )
})

test('the official client reads a rendered stream into the message that the answer has', async () => {
  const usage: AnswerUsage = {
    buckets: {
      ...unreportedUsage,
      fresh: tokenCount(3),
      read: tokenCount(70),
      write30m: tokenCount(5),
      output: tokenCount(9),
    },
    reasoningTokens: undefined,
  }
  const stream = rendered([
    start,
    { kind: 'thinking-delta', text: 'hm' },
    { kind: 'thinking-signature', signature: 's' },
    { kind: 'text-delta', text: 'Hel' },
    { kind: 'ping' },
    { kind: 'text-delta', text: 'lo' },
    { kind: 'tool-start', index: 0, id: 't1', name: 'f' },
    { kind: 'tool-start', index: 1, id: 't2', name: 'g' },
    { kind: 'tool-delta', index: 1, json: '{"b":1}' },
    // A call that goes on after another has begun.
    { kind: 'tool-delta', index: 0, json: '{"a":2}' },
    { kind: 'finish', stop: 'tool-calls', stopSequence: undefined, usage },
  ])
  const lines = serverSentEvents(stream).map(({ data }) => `${data}\n`)
  const message = await MessageStream.fromReadableStream(new Response(lines.join('')).body!).finalMessage()
  expect(message).toMatchObject({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: context.model,
    stop_reason: 'tool_use',
    content: [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'text', text: 'Hello' },
      { type: 'tool_use', id: 't1', name: 'f', input: { a: 2 } },
      { type: 'tool_use', id: 't2', name: 'g', input: { b: 1 } },
    ],
    usage: { input_tokens: 3, cache_read_input_tokens: 70, cache_creation_input_tokens: 5, output_tokens: 9 },
  })
})

function wireBuckets({ buckets }: AnswerUsage): Record<string, number | null> {
  return {
    fresh: buckets.fresh ?? null,
    read: buckets.read ?? null,
    write_5m: buckets.write5m ?? null,
    write_30m: buckets.write30m ?? null,
    write_1h: buckets.write1h ?? null,
    write_12h: buckets.write12h ?? null,
    output: buckets.output ?? null,
  }
}
