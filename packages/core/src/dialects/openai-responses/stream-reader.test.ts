import { describe, expect, test } from 'vitest'
import type { AnswerEvent } from '../../domain/answer.ts'
import type { StreamStep } from '../../domain/dialect.ts'
import { fixture } from '../testing/generations.ts'
import { answerOf, eventsOfSse, read } from '../testing/streams.ts'
import { createOpenaiResponses } from './index.ts'

const dialect = createOpenaiResponses()

interface Expected {
  readonly usage: Readonly<Record<'fresh' | 'read' | 'write30m' | 'output' | 'reasoning', number>> | null
  readonly stop: string
  readonly text: string
  readonly thoughts: string
  readonly signature: string | null
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly fault: { readonly code: string; readonly message: string }
}

const expectedOf = (name: string): Expected => JSON.parse(fixture(`openai-responses/${name}.json`)) as Expected
const transcriptOf = (name: string): string => fixture(`openai-responses/${name}.sse`)

describe('golden transcripts of upstreams', () => {
  test.each(['plain', 'tools', 'reasoning', 'incomplete', 'crlf'])('D-41 %s', (name) => {
    const expected = expectedOf(name)
    const { events, fault } = read(dialect, transcriptOf(name))
    expect(fault).toBeUndefined()
    const { blocks, stop, usage, id, model } = answerOf(events)
    expect({ id, model, stop }).toEqual({ id: `resp_${name}`, model: 'gpt-6-sol-2026-08-21', stop: expected.stop })
    expect(blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : [])).join('')).toBe(expected.text)
    const thoughts = blocks.find((block) => block.kind === 'thinking')
    expect(thoughts?.text ?? '').toBe(expected.thoughts)
    expect(thoughts?.signature ?? null).toBe(expected.signature)
    const calls = blocks.flatMap((block) => (block.kind === 'tool-call' ? [block] : []))
    expect(calls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args }))).toEqual(expected.calls)
    expect({ ...usage?.buckets, reasoning: usage?.reasoningTokens }).toMatchObject({ ...expected.usage })
  })

  test.each(['failed', 'error'])('%s ends in the fault it states', (name) => {
    const expected = expectedOf(name)
    const { events, fault } = read(dialect, transcriptOf(name))
    expect(fault).toMatchObject(expected.fault)
    expect(events.at(-1)).toEqual({ kind: 'text-delta', text: expected.text })
  })

  test.each(['plain', 'tools', 'reasoning', 'incomplete', 'crlf'])(
    'D-43 %s: the response that ends the stream, read as a whole answer, says the same',
    (name) => {
      const transcript = transcriptOf(name)
      const last = JSON.parse(eventsOfSse(transcript).at(-1)?.data ?? '') as { response: unknown }
      expect(dialect.readAnswer(last.response)).toEqual(answerOf(read(dialect, transcript).events))
    },
  )

  test.each([
    ['plain', 4, 1],
    ['tools', 5, 1],
    ['reasoning', 4, 1],
    ['incomplete', 2, 1],
    ['failed', 1, 1],
  ])('in %s the marks are found in %i events with content and in the %i that ends it', (name, content, end) => {
    const { streamMarks } = dialect
    const data = eventsOfSse(transcriptOf(name)).map((event) => event.data)
    const having = (marks: readonly string[]): string[] =>
      data.filter((one) => marks.some((mark) => one.includes(mark)))
    expect(having(streamMarks.content)).toHaveLength(content)
    expect(having(streamMarks.end)).toEqual(data.slice(-end))
  })
})

/** Events of a stream given as data. */
function readData(...data: readonly object[]): readonly AnswerEvent[] {
  const reader = dialect.streamReader()
  return data.flatMap((one) => {
    const step = reader.read({ event: undefined, data: JSON.stringify(one) })
    return step.kind === 'events' ? step.events : []
  })
}

const start: AnswerEvent = { kind: 'start', id: undefined, model: undefined, usage: undefined }

test('events nobody knows, the end of another API and comments mean nothing', () => {
  const reader = dialect.streamReader()
  const nothing: StreamStep = { kind: 'events', events: [] }
  expect(reader.read({ event: 'x', data: '{"type":"response.unheard_of","delta":"x"}' })).toEqual(nothing)
  expect(reader.read({ event: undefined, data: '[DONE]' })).toEqual(nothing)
  expect(reader.read({ event: undefined, data: '' })).toEqual(nothing)
  expect(reader.end()).toEqual([])
})

test('an event is told by its name where its data has no type', () => {
  const reader = dialect.streamReader()
  const step = reader.read({ event: 'response.output_text.delta', data: '{"delta":"x"}' })
  expect(step).toEqual({ kind: 'events', events: [start, { kind: 'text-delta', text: 'x' }] })
})

test('a server that sends whole parts instead of deltas is understood', () => {
  expect(
    readData(
      { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'Hello' },
      {
        type: 'response.output_item.done',
        output_index: 1,
        item: { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      },
      { type: 'response.refusal.done', output_index: 2, content_index: 0, refusal: 'No.' },
    ),
  ).toEqual([
    start,
    { kind: 'text-delta', text: 'Hello' },
    { kind: 'tool-start', index: 0, id: 'c', name: 'f' },
    { kind: 'tool-delta', index: 0, json: '{}' },
    { kind: 'refusal-delta', text: 'No.' },
  ])
})

test('nothing is passed on twice where deltas and wholes come both', () => {
  const item = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' }
  expect(
    readData(
      { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '{' } },
      { type: 'response.function_call_arguments.delta', output_index: 0, delta: '"a"' },
      { type: 'response.function_call_arguments.done', output_index: 0, arguments: item.arguments },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.reasoning_text.delta', output_index: 1, delta: 'Hm.' },
      { type: 'response.reasoning_summary_text.delta', output_index: 1, summary_index: 0, delta: 'In short: hm.' },
    ),
  ).toEqual([
    start,
    { kind: 'tool-start', index: 0, id: 'c', name: 'f' },
    { kind: 'tool-delta', index: 0, json: '{' },
    { kind: 'tool-delta', index: 0, json: '"a"' },
    { kind: 'tool-delta', index: 0, json: ':1}' },
    { kind: 'thinking-delta', text: 'Hm.' },
  ])
})

test('log-probabilities without bytes get those of their token', () => {
  const logprobs = [{ token: 'é', logprob: -0.5, top_logprobs: [{ token: 'e', logprob: -1 }] }]
  expect(readData({ type: 'response.output_text.delta', delta: 'é', logprobs })).toEqual([
    start,
    {
      kind: 'text-delta',
      text: 'é',
      logprobs: [{ token: 'é', logprob: -0.5, bytes: [195, 169], top: [{ token: 'e', logprob: -1, bytes: [101] }] }],
    },
  ])
})

test.each([
  ['{"type":"error","code":"server_error","message":"Broken","param":null}', undefined, 'server_error', 'Broken'],
  [
    '{"type":"error","error":{"type":"invalid_request_error","message":"Bad"}}',
    'invalid_request_error',
    undefined,
    'Bad',
  ],
  ['{"type":"response.failed","response":{"error":null}}', undefined, undefined, 'the upstream named no reason'],
  ['{"type":"error"}', undefined, undefined, 'the upstream named no reason'],
  ['not json', undefined, undefined, 'the upstream sent an event that is no JSON object'],
  ['[]', undefined, undefined, 'the upstream sent an event that is no JSON object'],
])('a fault inside a stream is told: %s', (data, type, code, message) => {
  const step = dialect.streamReader().read({ event: undefined, data })
  expect(step).toEqual({ kind: 'fault', fault: { type, code, message, param: undefined } })
})
