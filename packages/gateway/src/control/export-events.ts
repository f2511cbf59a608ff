import type { EpochMs } from '@incipit/core'
import type { Exchange } from '../http/exchange.ts'
import type { EventFilter, Ledger } from '../ledger/port.ts'
import { awaitDrain } from '../relay/await-drain.ts'
import type { EventWriter } from './event-table.ts'

/**
 * Events that are read, written and forgotten together: what an export holds at a time, and for some milliseconds
 * keeps others waiting with.
 */
const pageEvents = 200

/** What is exported, and how far. */
export interface EventExport {
  readonly filter: EventFilter
  readonly limit: number
  readonly cursor: string | undefined
  readonly writer: EventWriter
  /** Without the ending, such as `csv`, that follows from the format. */
  readonly fileName: string
}

/**
 * Streams events page by page, no faster than the client reads. Which page comes next is known only behind the last
 * byte, so that `x-incipit-events` and `x-incipit-next-cursor` are trailers. A failure on the way cuts the connection:
 * half a table does not pass for a whole one.
 *
 * @throws IncipitError `client_closed`, `shutting_down`, or of the ledger; before the head where the first page fails
 */
export async function exportEvents(exchange: Exchange, ledger: Ledger, asked: EventExport): Promise<void> {
  const { response, signal, request } = exchange
  const { filter, limit, writer } = asked
  const pageAt = (cursor: string | undefined, sent: number): ReturnType<Ledger['events']> =>
    ledger.events(filter, { limit: Math.min(pageEvents, limit - sent), cursor })
  let page = await pageAt(asked.cursor, 0)
  const trailing = request.httpVersion === '1.1'
  response.writeHead(200, {
    'content-type': writer.contentType,
    'content-disposition': `attachment; filename="${asked.fileName}"`,
    'cache-control': 'no-store',
    ...(trailing ? { trailer: 'x-incipit-events, x-incipit-next-cursor' } : {}),
  })
  let sent = page.events.length
  let text = writer.head + writer.write(page.events)
  while (page.nextCursor !== undefined && sent < limit) {
    if (!response.write(text)) await awaitDrain(response, signal)
    if (signal.aborted) throw signal.reason
    page = await pageAt(page.nextCursor, sent)
    sent += page.events.length
    text = writer.write(page.events)
  }
  if (page.nextCursor !== undefined) text += writer.cut(page.nextCursor)
  if (trailing) {
    response.addTrailers({
      'x-incipit-events': String(sent),
      ...(page.nextCursor === undefined ? {} : { 'x-incipit-next-cursor': page.nextCursor }),
    })
  }
  response.end(text)
}

/**
 * A name for the file that a browser makes of an export.
 * @example exportName('events', clock.now(), 'csv') // 'incipit-events-2026-11-01T093000Z.csv'
 */
export function exportName(what: string, now: EpochMs, ending: string): string {
  const instant = new Date(now).toISOString().slice(0, 19).replaceAll(':', '')
  return `incipit-${what}-${instant}Z.${ending}`
}
