import type { CachedPrefix } from '@incipit/engine'
import type { EpochMs, OrgId } from '@incipit/core'
import { IncipitError, IsolationScope, orgId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { ControlQuery } from './control-query.ts'
import type { JsonView } from './json-view.ts'
import { modelNamed } from './models.ts'

/** What `GET /v1/prefixes?source=engine` can be asked with. */
export const enginePrefixParameters = ['source', 'org', 'model', 'limit'] as const

const mostOrgs = 5_000

/**
 * The tree of what the local engine has cached, of what the caller may see: a member sees its own organisation. Of a
 * scope nothing is told but the organisation, of a prefix no text.
 *
 * @throws IncipitError `engine_unavailable`, `unknown_model`, `forbidden`
 */
export async function enginePrefixes(
  query: ControlQuery,
  limit: number,
  { caller, house }: { readonly caller: Caller; readonly house: House },
): Promise<JsonView> {
  const org = orgFrom(query.find('org'), caller)
  const model = query.find('model')
  const models = model === undefined ? undefined : modelNamed(model, house).replicas
  const scopePrefix = org === undefined ? undefined : scopeOf(org, house)
  const engine = requireEngine(house)
  const { nodes, truncated } = await engine.prefixes({ models, scopePrefix, limit })
  const orgOf = orgsByScope(org === undefined ? await knownOrgs(caller, house) : [org], house)
  const now = house.clock.now()
  const data = nodes.map((node) => nodeView(node, orgOf(node.scopeKey), now))
  return { object: 'list', source: 'engine', truncated, data }
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

function orgFrom(asked: string | undefined, caller: Caller): OrgId | undefined {
  if (caller.role === 'admin') return asked === undefined ? undefined : orgId(asked)
  if (asked !== undefined && asked !== caller.org) {
    throw new IncipitError('forbidden', 'a member sees the prefixes of its own organisation only', { param: 'org' })
  }
  return caller.org
}

/** Finds the organisation of a scope key among some; `undefined` where it is of none of them. */
function orgsByScope(orgs: readonly OrgId[], house: House): (scopeKey: string) => OrgId | undefined {
  const byScope = new Map(orgs.map((org) => [scopeOf(org, house), org]))
  const [one = ''] = byScope.keys()
  return (scopeKey) => byScope.get(scopeKey.slice(0, one.length))
}

/** What all scope keys of an organisation begin with. */
function scopeOf(org: OrgId, house: House): string {
  return IsolationScope.prefixOf({ org }, house)
}

/** Scope keys do not tell their organisation: those that the ledger has seen are tried. */
async function knownOrgs(caller: Caller, { ledger }: House): Promise<OrgId[]> {
  const { rows } = await ledger.summary({
    filter: { upstream: 'engine' },
    groupBy: ['org'],
    interval: 'none',
    timeZone: 'UTC',
    limit: mostOrgs,
  })
  return [caller.org, ...rows.flatMap(({ group }) => (group.org === undefined ? [] : [orgId(group.org)]))]
}
