import { epochMs, IncipitError, orgId } from '@incipit/core'
import type { EpochMs } from '@incipit/core'
import { z } from 'zod'
import { requireAdmin } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { projectEvents } from '../ledger/event-fields.ts'
import { storageEvents } from '../meter/storage-events.ts'
import { controlBody } from './control-body.ts'

const name = z.string().min(1).max(256)
const instant = z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time with its zone' })

const storageSchema = z.strictObject({
  name,
  model: name,
  provider: z.string().min(1).max(64).optional(),
  upstream: z.string().min(1).max(64).optional(),
  tokens: z.int().min(1).max(1_000_000_000),
  since: instant,
  until: instant,
  org: name.optional(),
})

const mostDays = 366
const dayMs = 86_400_000

/**
 * `POST /v1/storage`: books what a provider bills for a cache that the gateway did not see, such as one of
 * `cachedContents`. Answers with the rows, one for each day; the same booked twice is booked once. Admins only.
 */
export async function bookStorage(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  requireAdmin(caller)
  const body = await controlBody(exchange.request, storageSchema)
  const span = spanOf(body, house.clock.now())
  const events = storageEvents(
    {
      name: body.name,
      model: body.model,
      tokens: body.tokens,
      org: body.org === undefined ? caller.org : orgId(body.org),
      upstream: body.upstream,
      provider: body.provider ?? providerNamed(body.upstream, house),
      ...span,
    },
    house,
  )
  await Promise.all(events.map((event) => house.ledger.record(event)))
  sendJson(exchange.response, 200, JSON.stringify({ object: 'list', data: projectEvents(events) }))
}

function providerNamed(upstream: string | undefined, { routes }: House): string | undefined {
  if (upstream === undefined) refuse('/provider', 'or upstream has to say whose cache it is')
  const known = routes.upstreams.find((one) => one.name === upstream)
  if (known === undefined) refuse('/upstream', `"${upstream}" is none of the configuration`)
  return known.provider
}

function spanOf(
  body: { readonly since: string; readonly until: string },
  now: EpochMs,
): { since: EpochMs; until: EpochMs } {
  const [since, until] = [Date.parse(body.since), Date.parse(body.until)]
  if (until <= since) refuse('/until', 'must be later than since')
  if (until > now) refuse('/until', 'must not lie in the future: nothing is billed before it was kept')
  const days = Math.ceil((until - since) / dayMs)
  if (days > mostDays) refuse('/since', `lies ${days} days before until, ${mostDays} are allowed`)
  return { since: epochMs(since), until: epochMs(until) }
}

function refuse(param: string, what: string): never {
  throw new IncipitError('invalid_request', `${param} ${what}`, { param })
}
