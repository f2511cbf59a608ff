import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { PrefixTotals } from '../ledger/port.ts'
import { ControlQuery } from './control-query.ts'
import { enginePrefixes, enginePrefixParameters } from './engine-prefixes.ts'
import { eventFilterFrom, filterParameters } from './event-filter.ts'
import type { JsonView } from './json-view.ts'

const limits = { least: 1, most: 1_000, otherwise: 100 }

const sources = ['ledger', 'engine'] as const

/**
 * `GET /v1/prefixes`: the prefixes that the ledger has seen, or with `source=engine` those that the local engine holds.
 */
export async function showPrefixes(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const { searchParams } = exchange.url
  const ofEngine = searchParams.get('source') === 'engine'
  const known = ofEngine ? enginePrefixParameters : [...filterParameters, 'source', 'limit']
  const query = new ControlQuery(searchParams, known)
  query.choice('source', sources)
  const view = ofEngine
    ? await enginePrefixes(query, { caller, house })
    : await ledgerPrefixes(query, query.wholeNumber('limit', limits), { caller, house })
  sendJson(exchange.response, 200, JSON.stringify(view))
}

/** Which prefixes are reused and which never, of what the caller may see; those with most input first. */
async function ledgerPrefixes(
  query: ControlQuery,
  limit: number,
  { caller, house }: { readonly caller: Caller; readonly house: House },
): Promise<JsonView> {
  const prefixes = await house.ledger.prefixes(eventFilterFrom(query, caller, house), limit)
  return { object: 'list', data: prefixes.map(prefixView) }
}

function prefixView({ prefix, requests, sessions, firstSeen, lastSeen, ...tokens }: PrefixTotals): JsonView {
  return {
    prefix,
    requests,
    sessions,
    input_tokens: tokens.inputTokens,
    cached_input_tokens: tokens.cachedInputTokens,
    first_seen: new Date(firstSeen).toISOString(),
    last_seen: new Date(lastSeen).toISOString(),
    reused: tokens.cachedInputTokens > 0,
  }
}
