import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerEvent } from '../../domain/answer.ts'
import { tokenCount } from '../../domain/units.ts'
import { unreportedUsage } from '../../domain/usage.ts'
import { hasContent } from '../shared/stream-marks.ts'
import {
  contextOf,
  encode,
  errorOf,
  fixture,
  fold,
  readStream,
  sseOf,
  streamed,
  wholeOf,
} from '../testing/generations.ts'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const prompt = dialect.parse(
  encode(
    '{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true}}',
  ),
  {},
)

const shapes = ['trailing-frame', 'usage-repeated', 'usage-split', 'usage-last-content', 'usage-null']

interface Expected {
  readonly answer: { readonly usage: unknown }
  readonly usage: object | null
}

describe('D-43 streamed usage equals non-streamed for five stream shapes', () => {
  test.each(shapes)('%s', (shape) => {
    const { answer, usage } = JSON.parse(fixture(`openai-chat/upstream-${shape}.json`)) as Expected
    const { events, fault } = readStream(dialect, fixture(`openai-chat/upstream-${shape}.sse`))
    expect(fault).toBeUndefined()
    expect(events.filter(({ kind }) => kind === 'start')).toHaveLength(1)
    expect(events.filter(({ kind }) => kind === 'finish')).toHaveLength(1)
    expect(fold(events)).toEqual(dialect.readAnswer(answer))
    expect(fold(events)?.usage?.buckets).toEqual(usage === null ? undefined : { ...unreportedUsage, ...usage })
  })

  test.each(shapes)('%s, cut off anywhere before it says how it ended, has no end', (shape) => {
    const whole = sseOf(fixture(`openai-chat/upstream-${shape}.sse`))
    const last = whole.findIndex(({ data }) => /"finish_reason": ?"/.test(data))
    for (let length = 0; length < last; length++) {
      const reader = dialect.streamReader()
      for (const event of whole.slice(0, length)) reader.read(event)
      expect(reader.end()).toEqual([])
    }
    const reader = dialect.streamReader()
    for (const event of whole.slice(0, last + 1)) reader.read(event)
    expect(reader.end()).toMatchObject([{ kind: 'finish' }])
    expect(reader.end()).toEqual([])
  })
})

test.each(shapes)('the first event with content, thinking or a call ends the time to first token: %s', (shape) => {
  const events = sseOf(fixture(`openai-chat/upstream-${shape}.sse`))
  const first = events.findIndex(({ data }) => hasContent(data, dialect.streamMarks))
  const reader = dialect.streamReader()
  const kinds = events.map((event) => {
    const step = reader.read(event)
    return step.kind === 'events' ? step.events.map(({ kind }) => kind).filter((kind) => kind !== 'start') : []
  })
  expect(first).toBe(kinds.findIndex((kinds) => kinds.length > 0))
  expect(events.findIndex(({ data }) => dialect.streamMarks.end.some((end) => data.includes(end)))).toBe(
    events.length - 1,
  )
})

test('a role, an empty string or a text that only speaks of content carries none', () => {
  const carries = (delta: string): boolean => hasContent(`{"choices":[{"delta":${delta}}]}`, dialect.streamMarks)
  expect(carries('{"role":"assistant","content":"","refusal":null}')).toBe(false)
  expect(carries('{"role":"assistant","content": ""}')).toBe(false)
  expect(carries('{"x":"\\"content\\":\\"y\\""}')).toBe(false)
  expect(carries('{"content":"","reasoning_content":"Hm"}')).toBe(true)
  expect(carries('{"role":"assistant","content":"Hi"}')).toBe(true)
  expect(carries('{"tool_calls": [{"index":0}]}')).toBe(true)
})

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 })
const piece: fc.Arbitrary<AnswerEvent[]> = fc.oneof(
  text.map((text): AnswerEvent[] => [{ kind: 'text-delta', text, logprobs: undefined }]),
  text.map((text): AnswerEvent[] => [{ kind: 'thinking-delta', text }]),
  text.map((text): AnswerEvent[] => [{ kind: 'refusal-delta', text }]),
  fc
    .array(text, { maxLength: 3 })
    .map((pieces): AnswerEvent[] => [
      { kind: 'tool-start', index: 0, id: 'c', name: 'f' },
      ...pieces.map((json): AnswerEvent => ({ kind: 'tool-delta', index: 0, json })),
    ]),
  fc.constant<AnswerEvent[]>([{ kind: 'ping' }]),
)

/** Calls get the numbers that their order gives them. */
function numbered(pieces: readonly AnswerEvent[][]): AnswerEvent[] {
  let calls = -1
  return pieces.flat().map((event): AnswerEvent => {
    if (event.kind === 'tool-start') return { ...event, index: ++calls, id: `call-${calls}` }
    return event.kind === 'tool-delta' ? { ...event, index: calls } : event
  })
}

test('what the renderer writes, the reader reads', () => {
  const usage = {
    buckets: { ...unreportedUsage, fresh: tokenCount(7), read: tokenCount(3), output: tokenCount(2) },
    reasoningTokens: tokenCount(1),
  }
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const deltas = numbered(pieces)
      const stop = deltas.some(({ kind }) => kind === 'refusal-delta') ? 'refusal' : 'length'
      const events: AnswerEvent[] = [
        { kind: 'start', id: undefined, model: undefined, usage: undefined },
        ...deltas,
        { kind: 'finish', stop, stopSequence: undefined, usage },
      ]
      const read = readStream(dialect, streamed(dialect, prompt, events)).events
      const ours = { id: `chatcmpl-${contextOf(prompt).id}`, model: 'demo' }
      expect(read).toEqual(
        events
          .filter(({ kind }) => kind !== 'ping')
          .map((event) => (event.kind === 'start' ? { ...event, ...ours } : event)),
      )
      // And a whole answer says the same as a streamed one.
      const whole = wholeOf(read)
      const answer = dialect.readAnswer(JSON.parse(dialect.answer(whole, contextOf(prompt))))
      for (const kind of ['text', 'thinking', 'refusal', 'tool-call'] as const) {
        const textsOf = (blocks: typeof answer.blocks): string[] =>
          blocks.flatMap((block) =>
            block.kind !== kind ? [] : [block.kind === 'tool-call' ? block.id + block.arguments : block.text],
          )
        expect(textsOf(answer.blocks).join('')).toBe(textsOf(whole.blocks).join(''))
      }
      expect(answer).toMatchObject({ stop, usage })
    }),
  )
})

test('an error inside a stream is a fault, and what came before stays', () => {
  const { events, fault } = readStream(dialect, fixture('openai-chat/upstream-error.sse'))
  expect(events.map(({ kind }) => kind)).toEqual(['start', 'text-delta'])
  expect(fault).toEqual({ type: undefined, code: '502', message: 'the provider went away', param: undefined })
})

test('calls that share an index, or have none, are told apart by their ids', () => {
  const call = (fields: string): string => `data: {"choices":[{"delta":{"tool_calls":[{${fields}}]}}]}\n\n`
  const transcript =
    call('"id":"a","function":{"name":"f","arguments":"{}"}') +
    call('"index":0,"id":"b","function":{"name":"f","arguments":"{\\"x\\":"}') +
    call('"index":0,"id":"b","function":{"arguments":"1}"}') +
    'data: [DONE]\n\n'
  expect(fold(readStream(dialect, transcript).events)).toMatchObject({
    stop: 'tool-calls',
    blocks: [
      { id: 'a', arguments: '{}' },
      { id: 'b', arguments: '{"x":1}' },
    ],
  })
})

test('frames that we do not know mean nothing', () => {
  const transcript =
    'event: vendor\ndata: not json\n\ndata: 7\n\ndata: {"object":"vendor.metrics","message":"done"}\n\ndata: [DONE]\n\n'
  expect(readStream(dialect, transcript)).toMatchObject({
    fault: undefined,
    events: [{ kind: 'start' }, { kind: 'finish' }],
  })
})

test.each([[null], ['x'], [{}], [{ choices: [] }], [{ choices: [{ text: 'legacy' }] }]])(
  'an answer without a message is no answer: %j',
  (answer) => {
    expect(errorOf(() => dialect.readAnswer(answer))).toMatchObject({ code: 'upstream_failed', status: 502 })
  },
)
