import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCsv } from '../../../../tests/support/parse-csv.ts'
import type { CsvValue } from './csv.ts'
import { csvLine } from './csv.ts'

test('quotes what holds a comma, a quote or a line end, and nothing else', () => {
  expect(csvLine(['a', 'b,c', 'say "x"', 'two\r\nlines', 'ü 日本'])).toBe(
    'a,"b,c","say ""x""","two\r\nlines",ü 日本\r\n',
  )
})

test('what is not known is an empty field, an empty text is not', () => {
  expect(csvLine([null, '', 0, false])).toBe(',"",0,false\r\n')
})

test('a text that a spreadsheet would run as a formula begins with an apostrophe, a number does not', () => {
  const texts = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', 'a=1', "'a", "'=1"]
  expect(texts.map((text) => csvLine([text]).trimEnd())).toEqual([
    "'=1+1",
    "'+1",
    "'-1",
    "'@SUM(A1)",
    "'\tx",
    '"\'\rx"',
    'a=1',
    "'a",
    "''=1",
  ])
  expect(csvLine([-1, -0.25])).toBe('-1,-0.25\r\n')
})

test('small amounts are written without an exponent and stay the same number', () => {
  expect(csvLine([1e-12, 2.5e-7, -1e-9, 1e21])).toBe('0.000000000001,0.00000025,-0.000000001,1e+21\r\n')
})

const values: fc.Arbitrary<CsvValue> = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '\r\n', '=', '-', "'", 'x', '\t') }),
  fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 }).map((pico) => pico / 1e12),
  fc.boolean(),
  fc.constant(null),
)

test('property: a parser that knows nothing of us reads every value back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(values, values, values)), (rows) => {
      const text = csvLine(['a', 'b', 'c']) + rows.map((row) => csvLine(row)).join('')
      const read = parseCsv(text).map(Object.values)
      expect(rows.map((row, y) => row.map((value, x) => valueOf(read[y]?.[x] ?? null, value)))).toEqual(rows)
    }),
  )
})

test('property: no text of a table is a formula', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseCsv(csvLine(['a']) + csvLine([text]))[0]?.['a']).not.toMatch(/^[=+\-@\t\r\n]/)
    }),
  )
})

/** What a field says, read as a value like this one. */
function valueOf(field: string | null, like: CsvValue): CsvValue {
  if (field === null) return null
  if (typeof like === 'number') return Number(field)
  if (typeof like === 'boolean') return field === 'true'
  return /^'+[=+\-@\t\r\n]/.test(field) ? field.slice(1) : field
}
