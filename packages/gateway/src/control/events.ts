import { IncipitError, requestId } from '@incipit/core'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { projectEvents } from '../ledger/event-fields.ts'
import { formatOf } from './answer-format.ts'
import { ControlQuery } from './control-query.ts'
import { eventFilterFrom, filterParameters } from './event-filter.ts'
import { csvWriter, jsonlWriter } from './event-table.ts'
import { exportEvents, exportName } from './export-events.ts'

const listed = { least: 1, most: 1_000, otherwise: 100 }
const exported = { least: 1, most: 1_000_000, otherwise: 1_000_000 }
const writers = { jsonl: jsonlWriter, csv: csvWriter }

/**
 * `GET /v1/events?fields=cached_input_tokens,input_tokens,model`: spend events, newest first. A member
 * sees its own organisation; an admin sees all, or one with `org=`. One page as JSON; all of them, up to `limit`, as
 * `format=jsonl` or `csv`.
 */
export async function listEvents(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const query = new ControlQuery(exchange.url.searchParams, [
    ...filterParameters,
    'fields',
    'limit',
    'cursor',
    'format',
  ])
  const filter = eventFilterFrom(query, caller, house)
  const format = formatOf(exchange.request, query, ['json', 'jsonl', 'csv'])
  const fields = query.find('fields')
  const cursor = query.find('cursor')
  exchange.response.setHeader('vary', 'accept')
  if (format !== 'json') {
    const writer = writers[format](fields)
    const limit = query.wholeNumber('limit', exported)
    const fileName = exportName('events', house.clock.now(), format)
    return exportEvents(exchange, house.ledger, { filter, limit, cursor, writer, fileName })
  }
  projectEvents([], fields)
  const page = await house.ledger.events(filter, { limit: query.wholeNumber('limit', listed), cursor })
  const data = projectEvents(page.events, fields)
  sendJson(exchange.response, 200, JSON.stringify({ object: 'list', data, next_cursor: page.nextCursor ?? null }))
}

/** `GET /v1/events/{id}` */
export async function showEvent(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  // A key may stand in the address.
  const query = new ControlQuery(exchange.url.searchParams, ['fields', 'key'])
  const id = exchange.params['id'] ?? ''
  const event = /^req_[0-9a-f]{24}(?:_\d+)?$/.test(id) ? await house.ledger.find(requestId(id)) : undefined
  // Another organisation's event is answered like one that does not exist.
  if (event === undefined || (caller.role !== 'admin' && event.org !== caller.org)) {
    throw new IncipitError('not_found', 'there is no event with this id', { param: 'id' })
  }
  const [shown] = projectEvents([event], query.find('fields'))
  sendJson(exchange.response, 200, JSON.stringify(shown))
}
