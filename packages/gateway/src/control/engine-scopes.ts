import type { OrgId } from '@incipit/core'
import { frame, IncipitError, IsolationScope, orgId, toHex } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'

const mostOrgs = 5_000

/** Whose of what the engine holds is meant, and the names of the organisations. */
export interface EngineScopes {
  /** What the scope keys of the organisation asked for begin with; `undefined` = of all. */
  readonly prefix: string | undefined
  /** The organisation of a scope key; `undefined` where the ledger does not know it. */
  readonly orgOf: (scopeKey: string) => OrgId | undefined
}

/**
 * What a caller may see of the engine: a member what its own organisation has there, an admin all, or one's.
 * @throws IncipitError `forbidden` where a member asks for another's
 */
export async function engineScopes(
  asked: string | undefined,
  { caller, house, what }: { readonly caller: Caller; readonly house: House; readonly what: string },
): Promise<EngineScopes> {
  const org = orgFrom(asked, caller, what)
  const orgs = org === undefined ? await knownOrgs(caller, house) : [org]
  return { prefix: org === undefined ? undefined : scopeOf(org, house), orgOf: orgsByScope(orgs, house) }
}

/** A name for something of the engine that tells nothing about it, and that nobody else's can be guessed from. */
export function opaqueId(fields: readonly string[], { hasher, secret }: House): string {
  return toHex(hasher.hmacSha256(secret, frame(['incipit/engine-id/1', ...fields]))).slice(0, 24)
}

function orgFrom(asked: string | undefined, caller: Caller, what: string): OrgId | undefined {
  if (caller.role === 'admin') return asked === undefined ? undefined : orgId(asked)
  if (asked !== undefined && asked !== caller.org) {
    throw new IncipitError('forbidden', `a member sees the ${what} of its own organisation only`, { param: 'org' })
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
