import type { EpochMs } from '@incipit/core'
import { epochMs, IncipitError, orgId, requestId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { keyedSession } from '../identify/session.ts'
import { projectEvents } from '../ledger/event-fields.ts'
import type { EventFilter } from '../ledger/port.ts'

const defaultLimit = 100
const maxLimit = 1_000
const knownParameters = ['fields', 'limit', 'cursor', 'org', 'key', 'session', 'model', 'upstream', 'since', 'until']

/**
 * `GET /v1/events?fields=cached_input_tokens,input_tokens,model`: spend events, newest first. A member
 * sees its own organisation; an admin sees all, or one with `org=`.
 */
export async function listEvents(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const query = exchange.url.searchParams
  const page = await house.ledger.events(filterFrom(query, caller, house), {
    limit: limitFrom(query.get('limit')),
    cursor: query.get('cursor') ?? undefined,
  })
  const events = projectEvents(page.events, query.get('fields') ?? undefined)
  sendJson(
    exchange.response,
    200,
    JSON.stringify({ object: 'list', data: events, next_cursor: page.nextCursor ?? null }),
  )
}

/** `GET /v1/events/{id}` */
export async function showEvent(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const id = exchange.params['id'] ?? ''
  const event = /^req_[0-9a-f]{24}(?:_\d+)?$/.test(id) ? await house.ledger.find(requestId(id)) : undefined
  // Another organisation's event is answered like one that does not exist.
  if (event === undefined || (caller.role !== 'admin' && event.org !== caller.org)) {
    throw new IncipitError('not_found', 'there is no event with this id', { param: 'id' })
  }
  const [shown] = projectEvents([event], exchange.url.searchParams.get('fields') ?? undefined)
  sendJson(exchange.response, 200, JSON.stringify(shown))
}

/** The filter a query asks for, narrowed to what the caller may see. */
export function filterFrom(query: URLSearchParams, caller: Caller, house: House): EventFilter {
  for (const [name, value] of query) {
    if (value.includes('\0')) throw new IncipitError('invalid_request', `${name.slice(0, 60)} holds a NUL character`)
    if (knownParameters.includes(name)) continue
    const known = knownParameters.join(', ')
    throw new IncipitError('invalid_request', `there is no parameter "${name.slice(0, 60)}"; known: ${known}`, {
      param: name.slice(0, 60),
    })
  }
  const asked = query.get('org') ?? undefined
  if (caller.role !== 'admin' && asked !== undefined && asked !== caller.org) {
    throw new IncipitError('forbidden', 'a member sees the events of its own organisation only', { param: 'org' })
  }
  const org = caller.role === 'admin' ? asked : caller.org
  return {
    org: org === undefined ? undefined : orgId(org),
    keyName: query.get('key') ?? undefined,
    session: sessionFrom(query.get('session'), house),
    model: query.get('model') ?? undefined,
    upstream: query.get('upstream') ?? undefined,
    since: instantFrom(query, 'since'),
    until: instantFrom(query, 'until'),
  }
}

/** As the ledger shows it, or as the client sent it. */
function sessionFrom(text: string | null, house: House): string | undefined {
  if (text === null) return undefined
  return /^ses_[0-9a-f]{32}$/.test(text) ? text : keyedSession([text], house)
}

function instantFrom(query: URLSearchParams, name: string): EpochMs | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const ms = /^\d{12,15}$/.test(text) ? Number(text) : /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isFinite(ms)) {
    throw new IncipitError('invalid_request', `${name} must be an ISO 8601 time or milliseconds since 1970`, {
      param: name,
    })
  }
  return epochMs(ms)
}

function limitFrom(text: string | null): number {
  const limit = text === null ? defaultLimit : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(limit >= 1 && limit <= maxLimit)) {
    throw new IncipitError('invalid_request', `limit is "${text?.slice(0, 20)}", allowed are 1 to ${maxLimit}`, {
      param: 'limit',
    })
  }
  return limit
}
