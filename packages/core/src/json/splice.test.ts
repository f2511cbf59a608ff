import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Edit } from '../domain/edit.ts'
import { scanJson } from './scan-json.ts'
import { invertEdits, splice, spliceParts, splicePieces } from './splice.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const edit = (start: number, end: number, replacement: string): Edit => ({
  name: 'test',
  start,
  end,
  replacement: encode(replacement),
  why: 'a test',
})

test('splices insertions, replacements and deletions, and undoes them', () => {
  const body = encode('{"a":1,"b":2}')
  const edits = [edit(1, 1, '"z":0,'), edit(5, 6, '100'), edit(6, 12, '')]
  const edited = splice(body, edits)
  expect(decode(edited)).toBe('{"z":0,"a":100}')
  expect(splice(edited, invertEdits(body, edits))).toEqual(body)
})

test('without edits the one part is a view of the same bytes', () => {
  const body = encode('{"a":1}')
  const parts = spliceParts(body, [])
  expect(parts).toHaveLength(1)
  expect(parts[0]?.buffer).toBe(body.buffer)
  expect(splice(body, [])).toEqual(body)
})

test.each([
  ['out of order', [edit(5, 6, ''), edit(1, 2, '')]],
  ['overlapping', [edit(1, 4, ''), edit(3, 5, '')]],
  ['before the beginning', [edit(-1, 2, '')]],
  ['behind the end', [edit(0, 8, '')]],
  ['backwards', [edit(3, 2, '')]],
  ['no integer', [edit(0.5, 2, '')]],
])('refuses edits %s', (_, edits) => {
  const body = encode('{"a":1}')
  expect(() => splice(body, edits)).toThrow(RangeError)
  expect(() => invertEdits(body, edits)).toThrow(RangeError)
})

test('undo of any edits gives back the bytes', () => {
  const cuts = fc.array(fc.tuple(fc.nat(200), fc.string({ maxLength: 8 })), { maxLength: 8 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, cuts) => {
      const marks = cuts.map(([at]) => Math.min(at, bytes.length)).sort((a, b) => a - b)
      const edits: Edit[] = []
      for (let i = 0; i + 1 < marks.length; i += 2) {
        edits.push(edit(marks[i] ?? 0, marks[i + 1] ?? 0, cuts[i]?.[1] ?? ''))
      }
      const edited = splice(bytes, edits)
      expect(splice(edited, invertEdits(bytes, edits))).toEqual(Uint8Array.from(bytes))
    }),
  )
})

test('editing one value leaves every other byte as it was', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
      fc.nat(),
      fc.nat(9),
      (value, pick, space) => {
        const body = encode(JSON.stringify(value, null, space))
        const document = scanJson(body)
        const members = document.members(0)
        const chosen = members[pick % members.length]?.value ?? 0
        const { start, end } = document.span(chosen)
        const edited = splice(body, [edit(start, end, '"new value"')])
        expect(edited.subarray(0, start)).toEqual(body.subarray(0, start))
        expect(edited.subarray(start + 11)).toEqual(body.subarray(end))
        expect(scanJson(edited).value(chosen)).toBe('new value')
      },
    ),
  )
})

test('bytes that come in pieces give the same, and nothing of them is copied', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.array(fc.nat(40), { maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.string({ maxLength: 3 })), { maxLength: 4 }),
      (bytes, cuts, wanted) => {
        const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
        const pieces = bounds.slice(1).map((end, index) => bytes.slice(bounds[index], end))
        const ends = wanted.flatMap(([a, b]) => [a % (bytes.length + 1), b % (bytes.length + 1)]).sort((a, b) => a - b)
        const edits = wanted.map(([, , text], index) => edit(ends[index * 2] ?? 0, ends[index * 2 + 1] ?? 0, text))
        const parts = splicePieces(pieces, edits)
        expect(Uint8Array.from(parts.flatMap((part) => [...part]))).toEqual(Uint8Array.from(splice(bytes, edits)))
        const known = new Set([...pieces, ...edits.map(({ replacement }) => replacement)].map(({ buffer }) => buffer))
        expect(parts.every(({ buffer }) => known.has(buffer))).toBe(true)
      },
    ),
  )
})
