import type { ConfigSettings } from './config.ts'
import type { CrossChecks } from './cross-checks.ts'
import { repeated } from './repeated.ts'
import type { ConfigPath } from './schema.ts'
import type { UpstreamSettings } from './upstream-settings.ts'
import { isHosted } from './upstream-settings.ts'

type Problem = CrossChecks['problems'][number]

/** Set by HTTP itself, or by the gateway for every request. */
const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'accept-encoding',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'proxy-authorization',
  'proxy-connection',
])

const keyHeaders: ReadonlySet<string> = new Set(['authorization', 'x-api-key'])

/**
 * What no single field of an upstream can tell.
 * @example checkUpstreams(settings).problems
 */
export function checkUpstreams({ upstreams, keys }: Pick<ConfigSettings, 'upstreams' | 'keys'>): CrossChecks {
  const problems = repeated(upstreams.map(({ name }) => name)).map((index): Problem => {
    const text = `an upstream above is named "${upstreams[index]?.name}" too`
    return { path: ['upstreams', index, 'name'], text }
  })
  const warnings: string[] = []
  const orgs = keys.length === 0 ? ['local'] : [...new Set(keys.map(({ org }) => org))]
  for (const [index, upstream] of upstreams.entries()) {
    const at = (path: ConfigPath, text: string): void =>
      void problems.push({ path: ['upstreams', index, ...path], text })
    checkAddress(upstream, at)
    checkCredentials(upstream, at)
    checkOrgKeys(upstream, orgs, at)
    checkHeaders(upstream, at)
    for (const org of Object.keys(upstream.orgKeys)) {
      if (orgs.includes(org)) continue
      warnings.push(`upstream "${upstream.name}": org_keys has a key for "${org}", an organisation without keys here`)
    }
  }
  return { problems, warnings }
}

type Note = (path: ConfigPath, text: string) => void

function checkAddress({ kind, baseUrl, replicas, accountId }: UpstreamSettings, at: Note): void {
  if (baseUrl !== undefined && replicas.length > 0)
    at(['replicas'], 'base_url and replicas are both given; one is allowed')
  for (const index of repeated(replicas)) at(['replicas', index], 'the same address stands above')
  const addressed = baseUrl !== undefined || replicas.length > 0
  if (accountId !== undefined && kind !== 'workers-ai') at(['account_id'], 'only the kind workers-ai has accounts')
  if (addressed) return
  if (kind === 'workers-ai') {
    if (accountId === undefined) at(['kind'], 'the kind workers-ai needs account_id, or base_url')
  } else if (!isHosted(kind)) at(['kind'], `the kind ${kind} needs base_url or replicas`)
}

function checkCredentials(upstream: UpstreamSettings, at: Note): void {
  const { apiKey, apiKeys, credentials, kind } = upstream
  if (apiKey !== undefined && apiKeys.length > 0)
    at(['api_keys'], 'api_key and api_keys are both given; one is allowed')
  for (const index of repeated(apiKeys)) at(['api_keys', index], 'the same key stands above')
  const configured = hasKey(upstream)
  if (credentials === 'client') {
    if (configured) at(['credentials'], "the caller's credential is passed on, so that no key may be configured")
  } else if (!configured && isHosted(kind)) {
    at(['kind'], `the kind ${kind} needs api_key, api_keys or org_keys, or "credentials: client"`)
  }
}

/** A shared key would put an organisation without one of its own into the cache of others. */
function checkOrgKeys({ isolation, orgKeys }: UpstreamSettings, orgs: readonly string[], at: Note): void {
  if (isolation !== 'credential') return
  const without = orgs.filter((org) => !Object.hasOwn(orgKeys, org))
  if (without.length === 0) return
  at(['isolation'], `"credential" needs a key in org_keys for each organisation; none for ${without.join(', ')}`)
}

function checkHeaders(upstream: UpstreamSettings, at: Note): void {
  const { headers, affinityHeader } = upstream
  for (const name of Object.keys(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(name)) at(['headers'], `"${name.slice(0, 60)}" is no name of a header`)
    else if (ownHeaders.has(name)) at(['headers'], `the header "${name}" is set by the gateway`)
    else if (keyHeaders.has(name) && sendsKey(upstream)) at(['headers'], `the header "${name}" carries the key already`)
  }
  if (affinityHeader === undefined) return
  if (affinityHeader in headers) at(['affinity_header'], `"${affinityHeader}" stands in headers, too`)
  if (ownHeaders.has(affinityHeader) || keyHeaders.has(affinityHeader)) {
    at(['affinity_header'], `the header "${affinityHeader}" is set by the gateway`)
  }
}

function sendsKey(upstream: UpstreamSettings): boolean {
  return upstream.credentials === 'client' || hasKey(upstream)
}

function hasKey({ apiKey, apiKeys, orgKeys }: UpstreamSettings): boolean {
  return apiKey !== undefined || apiKeys.length > 0 || Object.keys(orgKeys).length > 0
}
