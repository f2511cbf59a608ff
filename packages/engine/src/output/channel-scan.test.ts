import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChannelScan } from './channel-scan.ts'
import type { OutputEvent } from './output-scan.ts'

/** Events with neighbouring pieces of one kind as one. */
function scan(pieces: readonly string[]): string[] {
  const output = new ChannelScan()
  const said: string[] = []
  let last = ''
  for (const event of [...pieces.flatMap((piece) => output.push(piece)), ...output.end()]) {
    const text = textOf(event)
    if (event.kind === last && event.kind !== 'tool-start') said[said.length - 1] += text
    else said.push(`${event.kind}: ${text}`)
    last = event.kind
  }
  return said
}

function textOf(event: OutputEvent): string {
  switch (event.kind) {
    case 'tool-start':
      return `${event.index} ${event.name}`
    case 'tool-delta':
      return event.json
    default:
      return event.text
  }
}

const cases: readonly [string, string[]][] = [
  ['<|channel|>final<|message|>Hi', ['text: Hi']],
  [
    '<|channel|>analysis<|message|>Hm. 1 < 2<|end|><|start|>assistant<|channel|>final<|message|>Yes <|en',
    ['thinking: Hm. 1 < 2', 'text: Yes <|en'],
  ],
  [
    '<|channel|>analysis<|message|>Look<|end|><|start|>assistant<|channel|>commentary to=functions.find <|constrain|>json<|message|>{"a":1}',
    ['thinking: Look', 'tool-start: 0 find', 'tool-delta: {"a":1}'],
  ],
  [
    ' to=functions.a<|channel|>commentary json<|message|>{}<|end|><|start|>assistant to=functions.b<|channel|>commentary<|message|>{}',
    ['tool-start: 0 a', 'tool-delta: {}', 'tool-start: 1 b', 'tool-delta: {}'],
  ],
  ['<|channel|>commentary<|message|>I will look.', ['text: I will look.']],
  ['<|channel|>analysis<|message|>Hm<|end|><|start|>assis', ['thinking: Hm']],
  ['no marks', ['text: no marks']],
  ['x'.repeat(300), [`text: ${'x'.repeat(300)}`]],
]

test.each(cases)('%s', (text, expected) => {
  expect(scan([text])).toEqual(expected)
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const places = [0, ...cuts.toSorted((left, right) => left - right), text.length]
      expect(scan(places.slice(1).map((place, index) => text.slice(places[index], place)))).toEqual(expected)
    }),
  )
})
