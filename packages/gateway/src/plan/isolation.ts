import type { Warning } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { House } from '../house.ts'
import { keyedSession } from '../identify/session.ts'
import type { Identified } from '../passage.ts'
import type { UpstreamTarget } from '../route/route.ts'

/** How a scope is kept apart from others at an upstream; nothing set = nothing needed. */
export interface UpstreamIsolation {
  readonly header: { readonly name: string; readonly value: string } | undefined
  readonly field: { readonly name: string; readonly value: string } | undefined
  readonly saltText: string | undefined
  readonly warnings: readonly Warning[]
}

const nothing: UpstreamIsolation = { header: undefined, field: undefined, saltText: undefined, warnings: [] }

/**
 * What to send so that an upstream shares no cached prefix across scopes. The value is the scope's key, which
 * the secret keys: a client can narrow it and never choose it. One organisation alone on a gateway, without an
 * isolation key, has nobody to be kept apart from.
 *
 * @throws IncipitError `forbidden` where each organisation needs a credential of its own and this one has none
 */
export function isolationFor(who: Identified, target: UpstreamTarget, house: House): UpstreamIsolation {
  const { upstream } = target
  const asked = who.head.isolationKey !== undefined || who.prompt.isolationKey !== undefined
  if (upstream.isolation === 'credential' && !Object.hasOwn(upstream.settings.orgKeys, who.caller.org)) {
    throw new IncipitError('forbidden', `upstream "${upstream.name}" has no credential of this organisation`)
  }
  if (!asked && (house.keys.open || upstream.isolation === 'credential')) return nothing
  const value = `inc_${who.scope.key.slice(0, 64)}`
  const { isolation } = upstream.kind
  if (upstream.isolation === 'salt_text') return { ...nothing, saltText: `[scope ${value}]` }
  if (upstream.isolation === 'native' && isolation?.kind === 'header')
    return { ...nothing, header: { name: isolation.name, value } }
  if (upstream.isolation === 'native' && isolation?.kind === 'field')
    return { ...nothing, field: { name: isolation.name, value: fieldValue(who, value, isolation.name, house) } }
  if (!asked) return nothing
  const detail = `upstream "${upstream.name}" shares its cache under one credential (isolation: ${upstream.isolation})`
  return { ...nothing, warnings: [{ code: 'isolation_not_enforced', where: 'prompt_cache_isolation_key', detail }] }
}

/** OpenAI refuses a longer key with 400: https://github.com/earendil-works/pi/issues/4720, 2026-05 [S] */
const longestCacheKey = 64

/**
 * OpenAI's key also steers routing: the client's own stays a part of it, as a keyed hash where it is too long. The
 * level of the isolation key, which the organisation is a part of, says all that the scope is about.
 */
function fieldValue(who: Identified, value: string, name: string, house: House): string {
  if (name !== 'prompt_cache_key') return value
  const scope = `inc_${who.scope.key.slice(32, 64)}`
  const own = who.prompt.identity.promptCacheKey
  if (own === undefined) return scope
  const whole = `${scope}:${own}`
  return whole.length <= longestCacheKey ? whole : `${scope}:${keyedSession([own], house)}`.slice(0, longestCacheKey)
}
