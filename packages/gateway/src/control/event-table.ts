import type { EventFieldValue } from '../ledger/event-fields.ts'
import { defaultEventFieldNames, projectEvents } from '../ledger/event-fields.ts'
import type { LedgerEvent } from '../ledger/port.ts'
import type { CsvValue } from './csv.ts'
import { csvLine } from './csv.ts'

/** Writes events one after the other, in pieces. */
export interface EventWriter {
  readonly contentType: string
  /** What stands before the first event. */
  readonly head: string
  /** The text of some events. */
  write(events: readonly LedgerEvent[]): string
  /** What stands behind the last event where more of them match. */
  cut(nextCursor: string): string
}

/**
 * Events as JSON, one a line. Where the limit cut them off, a last line without an event says so.
 * @throws IncipitError `invalid_request`, param `fields`
 */
export function jsonlWriter(fields: string | undefined): EventWriter {
  projectEvents([], fields)
  return {
    contentType: 'application/jsonl; charset=utf-8',
    head: '',
    write: (events) => projectEvents(events, fields).map(jsonLine).join(''),
    cut: (nextCursor) => jsonLine({ object: 'cut', next_cursor: nextCursor }),
  }
}

function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

/** The counts that `usage` holds, each a column of its own. */
const usageColumns = [
  'fresh_tokens',
  'read_tokens',
  'write_5m_tokens',
  'write_30m_tokens',
  'write_1h_tokens',
  'write_12h_tokens',
  'output_tokens',
  'storage_token_hours',
]

/**
 * Events as a table. A table has no place for a last line that is no event: where the limit cut it off, the trailer
 * says so alone.
 *
 * @throws IncipitError `invalid_request`, param `fields`
 */
export function csvWriter(fields: string | undefined): EventWriter {
  projectEvents([], fields)
  const asked = fields?.split(',').map((name) => name.trim()) ?? defaultEventFieldNames
  const columns = [...new Set(asked.flatMap((name) => (name === 'usage' ? usageColumns : [name])))]
  const names = columns.join(',')
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: csvLine(columns),
    write: (events) =>
      projectEvents(events, names)
        .map((view) => csvLine(columns.map((name) => cell(view[name] ?? null))))
        .join(''),
    cut: () => '',
  }
}

/** What has parts is written as JSON. */
function cell(value: EventFieldValue): CsvValue {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
}
