import type { IncomingMessage } from 'node:http'
import { header } from '../http/exchange.ts'
import type { ControlQuery } from './control-query.ts'

/** How records are written. */
export type AnswerFormat = 'json' | 'jsonl' | 'csv'

const mediaTypes: Readonly<Record<string, AnswerFormat>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/jsonl': 'jsonl',
  'application/x-ndjson': 'jsonl',
  'application/x-jsonlines': 'jsonl',
  'text/csv': 'csv',
}

/**
 * The format that a request asks for, by `format` or else by its `accept` header; JSON where neither names one that
 * this route has.
 *
 * @throws IncipitError `invalid_request`, param `format`
 * @example formatOf(exchange.request, query, ['json', 'jsonl', 'csv'])
 */
export function formatOf<Format extends AnswerFormat>(
  request: IncomingMessage,
  query: ControlQuery,
  formats: readonly Format[],
): Format | 'json' {
  return query.choice('format', formats) ?? acceptedFormat(header(request, 'accept') ?? '', formats) ?? 'json'
}

/** Of the formats, the one with the highest weight; of equals the first that is named. */
function acceptedFormat<Format extends AnswerFormat>(accept: string, formats: readonly Format[]): Format | undefined {
  let best: { readonly format: Format; readonly weight: number } | undefined
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const format = formats.find((one) => one === mediaTypes[type])
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (format !== undefined && weight > (best?.weight ?? 0)) best = { format, weight }
  }
  return best?.format
}
