import type { CachedPrefix } from '@incipit/engine'
import type { EpochMs, OrgId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { ControlQuery } from './control-query.ts'
import { engineScopes, opaqueId } from './engine-scopes.ts'
import type { JsonView } from './json-view.ts'
import { modelNamed } from './models.ts'

/** What `GET /v1/prefixes?source=engine` can be asked with. */
export const enginePrefixParameters = ['source', 'org', 'model', 'order', 'limit'] as const

/** A page of it: as many as a picture can show. */
export const enginePrefixLimits = { least: 1, most: 5_000, otherwise: 100 } as const

const orders = ['used', 'tokens', 'hits', 'age'] as const

/**
 * The tree of what the local engine has cached, of what the caller may see: a member sees its own organisation. Of a
 * scope nothing is told but the organisation, of a prefix no text.
 *
 * @throws IncipitError `engine_unavailable`, `unknown_model`, `forbidden`
 */
export async function enginePrefixes(
  query: ControlQuery,
  { caller, house }: { readonly caller: Caller; readonly house: House },
): Promise<JsonView> {
  const limit = query.wholeNumber('limit', enginePrefixLimits)
  const order = query.choice('order', orders)
  const scopes = await engineScopes(query.find('org'), { caller, house, what: 'prefixes' })
  const model = query.find('model')
  const models = model === undefined ? undefined : modelNamed(model, house).replicas
  const { nodes, totals } = await requireEngine(house).prefixes({ models, scopePrefix: scopes.prefix, order, limit })
  const now = house.clock.now()
  const data = nodes.map((node) => ({
    id: opaqueId(['prefix', node.tier, node.model, node.id], house),
    ...nodeView(node, scopes.orgOf(node.scopeKey), now),
  }))
  const total = totals.hot.nodes + totals.ram.nodes + totals.disk.nodes
  return { object: 'list', source: 'engine', total, truncated: data.length < total, tiers: totals, data }
}

function nodeView(node: CachedPrefix, org: OrgId | undefined, now: EpochMs): JsonView {
  return {
    model: node.model,
    org: org ?? null,
    tier: node.tier,
    parent: node.parent ?? null,
    depth: node.depth,
    start: node.start,
    tokens: node.tokens,
    children: node.children,
    hits: node.hits,
    age_ms: node.storedAt === undefined ? null : Math.max(0, now - node.storedAt),
    last_used: new Date(node.usedAt).toISOString(),
  }
}
