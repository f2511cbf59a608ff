import { orgId } from '@incipit/core'
import { requireAdmin } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { ControlQuery, badParameter } from './control-query.ts'
import { sessionFrom, timeZoneOf } from './event-filter.ts'
import { instantFrom } from './instant.ts'

const selectors = ['org', 'session', 'before'] as const

/**
 * `DELETE /v1/events?org=`, `?session=` or `?before=`: erases what one organisation or one session left, or forgets
 * single events older than an instant. Says how many went. Admins only.
 */
export async function eraseEvents(exchange: Exchange, house: House): Promise<void> {
  requireAdmin(house.keys.authenticate(exchange.request))
  const query = new ControlQuery(exchange.url.searchParams, [...selectors, 'tz'])
  const deleted = await erased(query, house)
  house.log.info({ deleted, by: query.given(selectors) }, 'events were erased on request')
  sendJson(exchange.response, 200, JSON.stringify({ deleted }))
}

async function erased(query: ControlQuery, house: House): Promise<number> {
  const given = query.given(selectors)
  if (given.length !== 1) {
    const seen = given.length === 0 ? 'none' : given.join(' and ')
    throw badParameter(given[1] ?? 'org', `${seen} of ${selectors.join(', ')} is given, exactly one is needed`)
  }
  const org = query.find('org')
  if (org !== undefined) return house.ledger.erase({ org: orgId(org) })
  const session = sessionFrom(query.find('session'), house)
  if (session !== undefined) return house.ledger.erase({ session })
  return house.ledger.prune(beforeFrom(query, house))
}

function beforeFrom(query: ControlQuery, house: House): ReturnType<typeof instantFrom> {
  const now = house.clock.now()
  const before = instantFrom(query.find('before') ?? '', 'before', { now, timeZone: timeZoneOf(query) })
  if (before <= now) return before
  const shown = [before, now].map((instant) => new Date(instant).toISOString())
  throw badParameter('before', `before is ${shown[0]}, it must not be after now, which is ${shown[1]}`)
}
