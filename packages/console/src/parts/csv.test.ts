import { expect, test } from 'vitest'
import { csvOf } from './csv.ts'

test('cells with separators are quoted, unknown ones stay empty, formulas stay text, numbers stay numbers', () => {
  const rows = [
    ['start', 'a "name", long'],
    ['=1+1', -0.5],
    ['line\nbreak', null],
  ]
  expect(csvOf(rows)).toBe('start,"a ""name"", long"\r\n\'=1+1,-0.5\r\n"line\nbreak",\r\n')
})
