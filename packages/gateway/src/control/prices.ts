import { IncipitError } from '@incipit/core'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { buildPlan, instantOf } from '../prices/build-plan.ts'
import { findPrices } from '../prices/find-prices.ts'
import { planJson } from '../prices/plan-json.ts'
import { planSchema } from '../prices/plan-request.ts'
import { controlBody } from './control-body.ts'

const knownParameters: ReadonlySet<string> = new Set(['model', 'provider', 'upstream', 'at'])
const longestParameter = 200
/** An operator's file may be long; `model`, `provider` and `upstream` narrow it. */
const mostPrices = 2_000

/**
 * `GET /v1/prices?model=&provider=&upstream=&at=`: what models cost, with source and date; of every list that has the model, and
 * which row counts. Without a model: the operator's file and the local table.
 */
export async function listPrices(exchange: Exchange, house: House): Promise<void> {
  house.keys.authenticate(exchange.request)
  const query = exchange.url.searchParams
  for (const [name, value] of query) {
    if (!knownParameters.has(name)) {
      const known = [...knownParameters].join(', ')
      const text = `there is no parameter "${name.slice(0, 60)}"; known: ${known}`
      throw new IncipitError('invalid_request', text, { param: name.slice(0, 60) })
    }
    if (value.length <= longestParameter) continue
    const text = `${name} has ${value.length} characters, allowed: ${longestParameter}`
    throw new IncipitError('invalid_request', text, { param: name })
  }
  const asked = query.get('at')
  const at = asked === null ? house.clock.now() : instantOf(asked)
  const found = findPrices(house.prices, {
    model: query.get('model') ?? undefined,
    provider: query.get('provider') ?? undefined,
    upstream: query.get('upstream') ?? undefined,
    at,
  })
  const body = { object: 'list', at: new Date(at).toISOString(), data: found.slice(0, mostPrices) }
  sendJson(exchange.response, 200, JSON.stringify({ ...body, truncated: found.length > mostPrices }))
}

/** `POST /v1/price/plan`: what caching would save, and when it would not. */
export async function planPrice(exchange: Exchange, house: House): Promise<void> {
  house.keys.authenticate(exchange.request)
  const request = await controlBody(exchange.request, planSchema)
  const made = buildPlan(request, { prices: house.prices, now: house.clock.now() })
  sendJson(exchange.response, 200, JSON.stringify(planJson(request, made)))
}
