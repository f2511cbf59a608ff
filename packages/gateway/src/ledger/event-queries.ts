import type { RequestId } from '@incipit/core'
import { epochMs, IncipitError } from '@incipit/core'
import type { SqlRow, SqlValue } from './driver.ts'
import { decodeCursor, encodeCursor } from './event-cursor.ts'
import { clause, conditions, parametersOf } from './event-filter.ts'
import { eventColumns, fromRow } from './event-row.ts'
import type { EventFilter, EventPage, PrefixTotals } from './port.ts'

/** A statement and its parameters. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

/** Events of one page at most; also the limit of `GET /v1/events`. */
export const maxPageEvents = 1_000

const names = eventColumns.map((column) => column.name).join(', ')

export function findQuery(id: RequestId): SqlQuery {
  return { sql: `SELECT ${names} FROM events WHERE id = ?`, parameters: [id] }
}

export function storedAnswerQuery(answerId: string, isStoredAnswer: string): SqlQuery {
  const sql = `SELECT org, upstream FROM events WHERE ${isStoredAnswer} AND answer_id = ? LIMIT 1`
  return { sql, parameters: [answerId] }
}

/**
 * One page and one row more, which tells whether there is a next page.
 * @throws IncipitError invalid_request, param `limit` or `cursor`
 */
export function pageQuery(filter: EventFilter, page: { limit: number; cursor?: string | undefined }): SqlQuery {
  checkLimit(page.limit)
  const where = conditions(filter)
  if (page.cursor !== undefined) {
    const { at, id } = decodeCursor(page.cursor)
    where.push(['(at, id) < (?, ?)', at, id])
  }
  return {
    sql: `SELECT ${names} FROM events ${clause(where)} ORDER BY at DESC, id DESC LIMIT ?`,
    parameters: [...parametersOf(where), page.limit + 1],
  }
}

export function toPage(rows: readonly SqlRow[], limit: number): EventPage {
  const events = rows.slice(0, limit).map(fromRow)
  const last = events.at(-1)
  return { events, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : undefined }
}

/**
 * The prefixes with most input, which have most to lose. Sums leave out what was not reported.
 * @throws IncipitError invalid_request, param `limit`
 */
export function prefixesQuery(filter: EventFilter, limit: number): SqlQuery {
  checkLimit(limit)
  const where = [["kind = 'request'"], ['wire_hash IS NOT NULL'], ...conditions(filter)] as const
  return {
    sql: `SELECT wire_hash, count(*) AS requests, count(DISTINCT session) AS sessions,
      coalesce(sum(CAST(input_tokens AS DOUBLE PRECISION)), 0) AS input,
      coalesce(sum(CAST(cached_input_tokens AS DOUBLE PRECISION)), 0) AS cached,
      min(at) AS first_seen, max(at) AS last_seen
      FROM events ${clause(where)} GROUP BY wire_hash ORDER BY input DESC, requests DESC, wire_hash LIMIT ?`,
    parameters: [...parametersOf(where), limit],
  }
}

export function toPrefixes(rows: readonly SqlRow[]): PrefixTotals[] {
  return rows.map((row) => ({
    prefix: String(row['wire_hash']),
    requests: Number(row['requests']),
    sessions: Number(row['sessions']),
    inputTokens: Number(row['input']),
    cachedInputTokens: Number(row['cached']),
    firstSeen: epochMs(Number(row['first_seen'])),
    lastSeen: epochMs(Number(row['last_seen'])),
  }))
}

function checkLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxPageEvents) return
  throw new IncipitError('invalid_request', `"limit" is ${limit}, 1 to ${maxPageEvents} allowed`, { param: 'limit' })
}
