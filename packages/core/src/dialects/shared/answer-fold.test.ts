import { expect, test } from 'vitest'
import type { AnswerEvent } from '../../domain/answer.ts'
import { tokenCount } from '../../domain/units.ts'
import { unreportedUsage } from '../../domain/usage.ts'
import { eventsOf, fold } from '../testing/generations.ts'
import { laterUsage } from './answer-fold.ts'

const start: AnswerEvent = { kind: 'start', id: 'a', model: 'm', usage: undefined }
const finish: AnswerEvent = { kind: 'finish', stop: 'end', stopSequence: undefined, usage: undefined }
const entry = { token: 'a', logprob: -1, bytes: [97], top: [] }

test('deltas of one kind are one block; another kind, a call or a signature begins the next', () => {
  const events: AnswerEvent[] = [
    start,
    { kind: 'thinking-delta', text: 'H' },
    { kind: 'thinking-delta', text: 'm' },
    { kind: 'thinking-signature', signature: 's' },
    { kind: 'thinking-delta', text: 'Still' },
    { kind: 'redacted-thinking', data: 'x' },
    { kind: 'ping' },
    { kind: 'text-delta', text: 'Y', logprobs: [entry] },
    { kind: 'text-delta', text: 'es', logprobs: [entry] },
    { kind: 'tool-start', index: 0, id: 'c0', name: 'f' },
    { kind: 'tool-start', index: 1, id: 'c1', name: 'g' },
    { kind: 'tool-delta', index: 0, json: '{"a"' },
    { kind: 'tool-delta', index: 1, json: '{}' },
    { kind: 'tool-delta', index: 0, json: ':1}' },
    { kind: 'text-delta', text: 'Done' },
    { kind: 'refusal-delta', text: 'N' },
    { kind: 'refusal-delta', text: 'o' },
    { ...finish, stop: 'stop-sequence', stopSequence: 'END' },
  ]
  expect(fold(events)).toEqual({
    id: 'a',
    model: 'm',
    stop: 'stop-sequence',
    stopSequence: 'END',
    usage: undefined,
    blocks: [
      { kind: 'thinking', text: 'Hm', signature: 's' },
      { kind: 'thinking', text: 'Still', signature: undefined },
      { kind: 'redacted-thinking', data: 'x' },
      { kind: 'text', text: 'Yes', logprobs: [entry, entry] },
      { kind: 'tool-call', id: 'c0', name: 'f', arguments: '{"a":1}' },
      { kind: 'tool-call', id: 'c1', name: 'g', arguments: '{}' },
      { kind: 'text', text: 'Done', logprobs: undefined },
      { kind: 'refusal', text: 'No' },
    ],
  })
})

test('an answer that did not end is none', () => {
  expect(fold([start, { kind: 'text-delta', text: 'x' }])).toBeUndefined()
})

test('the end completes what the start said of the cost, and wins where both speak', () => {
  const early = {
    buckets: { ...unreportedUsage, fresh: tokenCount(5), output: tokenCount(1) },
    reasoningTokens: undefined,
  }
  const late = { buckets: { ...unreportedUsage, output: tokenCount(9) }, reasoningTokens: tokenCount(2) }
  expect(laterUsage(early, late)).toEqual({
    buckets: { ...unreportedUsage, fresh: 5, output: 9 },
    reasoningTokens: 2,
  })
  expect(laterUsage(early, undefined)).toBe(early)
  expect(laterUsage(undefined, undefined)).toBeUndefined()
})

test('CF-8 the events of a generation say at the start what was cached, at the end the whole', () => {
  const events = eventsOf({ texts: ['a'], prompt: 10, cached: 8, output: 1 })
  const known = { ...unreportedUsage, fresh: 2, read: 8 }
  expect(events[0]).toMatchObject({ kind: 'start', usage: { buckets: known } })
  expect(events.at(-1)).toMatchObject({ kind: 'finish', stop: 'end', usage: { buckets: { ...known, output: 1 } } })
})
