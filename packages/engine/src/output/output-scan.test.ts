import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aGeneration } from '../testing/generation-fixture.ts'
import { AnswerPlanner } from './answer-plan.ts'
import { callStyle } from './call-style.ts'
import { looseMatch } from './loose-match.ts'
import type { OutputEvent, OutputMarks } from './output-scan.ts'
import { OutputScan } from './output-scan.ts'

const [hermes, mistral, llama3] = ['<tool_call>', '[TOOL_CALLS]', '<|start_header_id|>'].map(callStyle) as [
  ReturnType<typeof callStyle>,
  ReturnType<typeof callStyle>,
  ReturnType<typeof callStyle>,
]
const thinking = { open: '<think>', close: '</think>', begun: false }

/** Neighbouring pieces of one kind as one. */
function merged(events: readonly OutputEvent[]): OutputEvent[] {
  const all: OutputEvent[] = []
  for (const event of events) {
    const last = all.at(-1)
    if (last?.kind === 'text' && event.kind === 'text') all[all.length - 1] = { ...last, text: last.text + event.text }
    else if (last?.kind === 'thinking' && event.kind === 'thinking') {
      all[all.length - 1] = { ...last, text: last.text + event.text }
    } else if (last?.kind === 'tool-delta' && event.kind === 'tool-delta') {
      all[all.length - 1] = { ...last, json: last.json + event.json }
    } else all.push(event)
  }
  return all
}

function scan(marks: OutputMarks, pieces: readonly string[]): OutputEvent[] {
  const output = new OutputScan(marks)
  return merged([...pieces.flatMap((piece) => output.push(piece)), ...output.end()])
}

const cases: readonly [name: string, marks: OutputMarks, text: string, events: OutputEvent[]][] = [
  [
    'text',
    { calls: hermes, thinking: undefined },
    'a <tool> b <tool_cal',
    [{ kind: 'text', text: 'a <tool> b <tool_cal' }],
  ],
  [
    'two calls of Hermes behind text',
    { calls: hermes, thinking: undefined },
    'Let me see.\n<tool_call>\n{"name": "a", "arguments": {"x":"}\\"{","y":[1]}}\n</tool_call>\n<tool_call>\n{"name": "b \\"c\\"", "arguments": {}}\n</tool_call>',
    [
      { kind: 'text', text: 'Let me see.\n' },
      { kind: 'tool-start', index: 0, name: 'a' },
      { kind: 'tool-delta', index: 0, json: '{"x":"}\\"{","y":[1]}' },
      { kind: 'tool-start', index: 1, name: 'b "c"' },
      { kind: 'tool-delta', index: 1, json: '{}' },
    ],
  ],
  [
    'calls of Hermes with white space of its own',
    { calls: hermes, thinking: undefined },
    '<tool_call> { "name":"a", "arguments": {"x":1}}\n</tool_call>',
    [
      { kind: 'tool-start', index: 0, name: 'a' },
      { kind: 'tool-delta', index: 0, json: '{"x":1}' },
    ],
  ],
  [
    'calls of Mistral',
    { calls: mistral, thinking: undefined },
    '[TOOL_CALLS][{"name": "a", "arguments": {"x":1}}, {"name": "b", "arguments": {}}]',
    [
      { kind: 'tool-start', index: 0, name: 'a' },
      { kind: 'tool-delta', index: 0, json: '{"x":1}' },
      { kind: 'tool-start', index: 1, name: 'b' },
      { kind: 'tool-delta', index: 1, json: '{}' },
    ],
  ],
  [
    'a call of Llama 3',
    { calls: llama3, thinking: undefined },
    '{"name": "a", "parameters": {"x":1}}',
    [
      { kind: 'tool-start', index: 0, name: 'a' },
      { kind: 'tool-delta', index: 0, json: '{"x":1}' },
    ],
  ],
  [
    'thinking, then text',
    { calls: hermes, thinking },
    '\n<think>\nHm < 3.\n</think>\n\nYes <think>.',
    [
      { kind: 'thinking', text: 'Hm < 3.\n' },
      { kind: 'text', text: 'Yes <think>.' },
    ],
  ],
  [
    'thinking that the prompt began',
    { calls: undefined, thinking: { ...thinking, begun: true } },
    'Hm.</think>Yes.',
    [
      { kind: 'thinking', text: 'Hm.' },
      { kind: 'text', text: 'Yes.' },
    ],
  ],
  ['no thinking', { calls: undefined, thinking }, '<thin air', [{ kind: 'text', text: '<thin air' }]],
  ['thinking without an end', { calls: undefined, thinking }, '<think>Hm', [{ kind: 'thinking', text: 'Hm' }]],
]

describe('text, thinking and calls are told apart, however the text is cut', () => {
  test.each(cases)('%s', (_name, marks, text, events) => {
    expect(scan(marks, [text])).toEqual(events)
    expect(scan(marks, text.split(''))).toEqual(events)
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (places) => {
        const cuts = [0, ...places.toSorted((left, right) => left - right), text.length]
        const pieces = cuts.slice(1).map((end, index) => text.slice(cuts[index], end))
        expect(scan(marks, pieces)).toEqual(events)
      }),
    )
  })
})

test('the grammar of calls goes on behind what is written of them, white space aside', () => {
  const tool = { name: 'a', parametersJson: '{}' }
  const planner = new AnswerPlanner({ calls: hermes, thinking: undefined, channels: false })
  const plan = planner.plan({ ...aGeneration([]), tools: [tool], parallelToolCalls: false })
  const grammar = (written: string): string => plan.callsBehind(written)
  const root = (text: string): string => /^root ::= (.*)$/m.exec(text)?.[1] ?? ''
  expect(root(grammar('<tool_call>'))).toBe(String.raw`"\n{\"name\": " calls`)
  expect(root(grammar('<tool_call>\n{"na'))).toBe(String.raw`"me\": " calls`)
  expect(root(grammar('<tool_call>{'))).toBe(String.raw`"\"name\": " calls`)
})

test('what does not follow is no match', () => {
  expect(looseMatch('{"name"', '{ "x')).toBeUndefined()
  expect(looseMatch('a b', ' a')).toEqual({ read: 2, expected: 1 })
})
