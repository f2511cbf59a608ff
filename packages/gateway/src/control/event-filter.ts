import type { OrgId } from '@incipit/core'
import { IncipitError, orgId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import { keyedSession } from '../identify/session.ts'
import type { EventFilter } from '../ledger/port.ts'
import type { ControlQuery } from './control-query.ts'
import { badParameter, quoted } from './control-query.ts'
import { instantFrom } from './instant.ts'
import { timeZoneFrom } from './time-zone.ts'

/** The parameters that say which events; `tz` says where bare dates begin. */
export const filterParameters = [
  'since',
  'until',
  'tz',
  'kind',
  'status',
  'provider',
  'org',
  'key',
  'session',
  'model',
  'upstream',
  'verdict',
  'cause',
] as const

const kinds = ['request', 'attempt', 'ping', 'prewarm', 'storage'] as const
const statuses = { least: 100, most: 599, otherwise: 200 }
const verdicts = ['warm', 'partial', 'cold'] as const

/**
 * The filter a query asks for, narrowed to what the caller may see: a member sees its own organisation, an admin all
 * of them, or one with `org`.
 *
 * @throws IncipitError `invalid_request`, and `forbidden` for a member that names another organisation, whether
 * there is such a one or not
 */
export function eventFilterFrom(query: ControlQuery, caller: Caller, house: House): EventFilter {
  const org = orgFrom(query.find('org'), caller)
  const frame = { now: house.clock.now(), timeZone: timeZoneOf(query) }
  const [since, until] = (['since', 'until'] as const).map((name) => {
    const text = query.find(name)
    return text === undefined ? undefined : instantFrom(text, name, frame)
  })
  if (since !== undefined && until !== undefined && since >= until) {
    const shown = [since, until].map((instant) => new Date(instant).toISOString())
    throw badParameter('until', `until is ${shown[1]}, it must be after since, which is ${shown[0]}`)
  }
  return {
    kind: query.choice('kind', kinds),
    status: query.find('status') === undefined ? undefined : query.wholeNumber('status', statuses),
    provider: query.find('provider'),
    org,
    keyName: query.find('key'),
    session: sessionFrom(query.find('session'), house),
    model: query.find('model'),
    upstream: query.find('upstream'),
    verdict: query.choice('verdict', verdicts),
    cause: causeFrom(query.find('cause')),
    since,
    until,
  }
}

/** The zone that a query names, UTC otherwise. */
export function timeZoneOf(query: ControlQuery): string {
  return timeZoneFrom(query.find('tz') ?? 'UTC')
}

/** A session as the ledger shows it, from that or from what the client sent. */
export function sessionFrom(text: string | undefined, house: House): string | undefined {
  if (text === undefined) return undefined
  return /^ses_[0-9a-f]{32}$/.test(text) ? text : keyedSession([text], house)
}

function orgFrom(asked: string | undefined, caller: Caller): OrgId | undefined {
  if (caller.role === 'admin') return asked === undefined ? undefined : orgId(asked)
  if (asked !== undefined && asked !== caller.org) {
    throw new IncipitError('forbidden', 'a member sees the events of its own organisation only', { param: 'org' })
  }
  return caller.org
}

function causeFrom(text: string | undefined): string | undefined {
  if (text === undefined || /^[a-z][a-z0-9_]{0,59}$/.test(text)) return text
  throw badParameter('cause', `cause is ${quoted(text)}, allowed are names such as expired or tools_changed`)
}
