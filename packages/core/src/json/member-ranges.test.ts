import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { memberRanges } from './member-ranges.ts'
import { scanJson } from './scan-json.ts'
import { splice } from './splice.ts'

function without(text: string, names: readonly string[]): string {
  const document = scanJson(new TextEncoder().encode(text))
  const edits = memberRanges(document, 0, names).map((range) => ({
    ...range,
    name: 'strip',
    replacement: new Uint8Array(),
    why: 'a test',
  }))
  return new TextDecoder().decode(splice(document.bytes, edits))
}

test.each([
  ['{"a":1,"x":2,"b":3}', '{"a":1,"b":3}'],
  ['{ "x" : 1 , "a":2}', '{ "a":2}'],
  ['{"a":1 , "x":{} }', '{"a":1 }'],
  ['{"x":1}', '{}'],
  ['{"x":1, "y":2,"a":3,"x":4, "y":5}', '{"a":3}'],
  ['{"\\u0078":1,"a":{"x":2}}', '{"a":{"x":2}}'],
  ['["x"]', '["x"]'],
])('%s without x and y is %s', (text, expected) => {
  expect(without(text, ['x', 'y'])).toBe(expected)
})

test('taking members out of any object leaves the others, in valid JSON', () => {
  const name = fc.constantFrom('a', 'b', 'x', 'y', 'z')
  const members = fc.array(fc.tuple(name, fc.jsonValue()), { maxLength: 8 })
  fc.assert(
    fc.property(members, fc.constantFrom('', ' ', '\n\t'), (members, space) => {
      const write = (list: typeof members): string =>
        `{${space}${list.map(([key, value]) => `"${key}"${space}:${JSON.stringify(value)}${space}`).join(`,${space}`)}}`
      const rest = members.filter(([key]) => key !== 'x' && key !== 'y')
      expect(JSON.parse(without(write(members), ['x', 'y']))).toEqual(JSON.parse(write(rest)))
    }),
  )
})
