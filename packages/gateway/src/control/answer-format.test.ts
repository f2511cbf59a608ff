import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import type { AnswerFormat } from './answer-format.ts'
import { formatOf } from './answer-format.ts'
import { ControlQuery } from './control-query.ts'

test.each([
  ['', undefined, 'json'],
  ['', '*/*', 'json'],
  ['', 'text/csv', 'csv'],
  ['', 'application/x-ndjson', 'jsonl'],
  ['', 'application/jsonl', 'jsonl'],
  ['', 'text/csv, application/json', 'csv'],
  ['', 'text/csv;q=0.5, application/json', 'json'],
  ['', 'text/csv; q=0', 'json'],
  ['', 'text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
  ['', 'image/png', 'json'],
  ['format=jsonl', 'text/csv', 'jsonl'],
  ['format=json', 'text/csv', 'json'],
])('format %j with accept %j is %s', (text, accept, format) => {
  expect(asked(text, accept, ['json', 'jsonl', 'csv'])).toBe(format)
})

test('a format that the route has not is refused when named, and passed over when merely accepted', () => {
  expect(() => asked('format=jsonl', undefined, ['json', 'csv'])).toThrow('format is "jsonl", allowed are json, csv')
  expect(asked('', 'application/jsonl, text/csv;q=0.1', ['json', 'csv'])).toBe('csv')
})

function asked(text: string, accept: string | undefined, formats: readonly AnswerFormat[]): AnswerFormat {
  const request = { headers: { accept } } as unknown as IncomingMessage // nothing else is read
  return formatOf(request, new ControlQuery(new URLSearchParams(text), ['format']), formats)
}
