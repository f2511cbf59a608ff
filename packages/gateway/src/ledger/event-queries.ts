import type { RequestId } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { SqlRow, SqlValue } from './driver.ts'
import { decodeCursor, encodeCursor } from './event-cursor.ts'
import { eventColumns, fromRow } from './event-row.ts'
import type { EventFilter, EventPage, LedgerTotals } from './port.ts'

/** A statement and its parameters. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

/** Events of one page at most; also the limit of `GET /v1/events`. */
export const maxPageEvents = 1_000

const names = eventColumns.map((column) => column.name).join(', ')

/** An id that is there already stays as it was: recording again after a lost answer does no harm. */
export const insertEvent: string = `INSERT INTO events (${names})
  VALUES (${eventColumns.map(() => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`

export function findQuery(id: RequestId): SqlQuery {
  return { sql: `SELECT ${names} FROM events WHERE id = ?`, parameters: [id] }
}

export function storedAnswerQuery(answerId: string): SqlQuery {
  const sql = `SELECT org, upstream FROM events WHERE answer_id GLOB 'resp_*' AND answer_id = ? LIMIT 1`
  return { sql, parameters: [answerId] }
}

/**
 * One page and one row more, which tells whether there is a next page.
 * @throws IncipitError invalid_request, param `limit` or `cursor`
 */
export function pageQuery(filter: EventFilter, page: { limit: number; cursor?: string | undefined }): SqlQuery {
  if (!Number.isSafeInteger(page.limit) || page.limit < 1 || page.limit > maxPageEvents) {
    const message = `"limit" is ${page.limit}, 1 to ${maxPageEvents} allowed`
    throw new IncipitError('invalid_request', message, { param: 'limit' })
  }
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

/** Sums leave NULL out, so a count that was not reported is in no sum. */
export function totalsQuery(filter: EventFilter): SqlQuery {
  const where: Condition[] = [["kind = 'request'"], ...conditions(filter)]
  return {
    sql: `SELECT count(*) AS requests,
      count(*) FILTER (WHERE cached_input_tokens > 0) AS warm,
      count(*) FILTER (WHERE error_code IS NOT NULL OR status >= 400) AS failed,
      count(*) FILTER (WHERE coalesce(input_tokens, cached_input_tokens, usage_output) IS NULL) AS unreported,
      sum(input_tokens) AS input, sum(cached_input_tokens) AS cached, sum(usage_output) AS output
      FROM events ${clause(where)}`,
    parameters: parametersOf(where),
  }
}

export function toTotals(row: SqlRow | undefined): LedgerTotals {
  const count = (name: string): number => Number(row?.[name] ?? 0)
  return {
    requests: count('requests'),
    warmRequests: count('warm'),
    failedRequests: count('failed'),
    inputTokens: count('input'),
    cachedInputTokens: count('cached'),
    outputTokens: count('output'),
    unreportedRequests: count('unreported'),
  }
}

type Condition = readonly [sql: string, ...parameters: SqlValue[]]

function conditions(filter: EventFilter): Condition[] {
  const where: Condition[] = []
  const equal = { org: filter.org, key_name: filter.keyName, session: filter.session, model: filter.model }
  for (const [column, value] of Object.entries({ ...equal, upstream: filter.upstream })) {
    if (value !== undefined) where.push([`${column} = ?`, value])
  }
  if (filter.since !== undefined) where.push(['at >= ?', filter.since])
  if (filter.until !== undefined) where.push(['at < ?', filter.until])
  return where
}

function clause(where: readonly Condition[]): string {
  return where.length === 0 ? '' : `WHERE ${where.map(([sql]) => sql).join(' AND ')}`
}

function parametersOf(where: readonly Condition[]): SqlValue[] {
  return where.flatMap(([, ...parameters]) => parameters)
}
