import type { Environment } from '../config/environment-references.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import type { UpstreamSettings } from '../config/upstream-settings.ts'
import { hostedOrigins, isHosted } from '../config/upstream-settings.ts'
import type { Finding } from './doctor.ts'
import type { Probe, ProbeInput } from './probe-address.ts'
import { probeAddress } from './probe-address.ts'

/**
 * One finding for each upstream: whether its addresses, or its proxy, can be reached, and which key is
 * used. Sends no request to any.
 *
 * @example await upstreamFindings(config, process.env)
 */
export function upstreamFindings(
  { upstreams, discovered }: Pick<LoadedConfig, 'upstreams' | 'discovered'>,
  env: Environment,
  probe: (input: ProbeInput) => Promise<Probe> = probeAddress,
): Promise<Finding[]> {
  return Promise.all(
    upstreams.map(async (upstream): Promise<Finding> => {
      const variables = discovered.find(({ name }) => name === upstream.name)?.variables
      const way = await findWay(upstream, env, probe)
      const detail = `${upstream.name}: ${upstream.kind}, ${way.text}; ${keyText(upstream, variables)}`
      return { check: 'upstreams', verdict: way.verdict, detail }
    }),
  )
}

interface Way {
  readonly verdict: Finding['verdict']
  readonly text: string
}

async function findWay(
  upstream: UpstreamSettings,
  env: Environment,
  probe: (input: ProbeInput) => Promise<Probe>,
): Promise<Way> {
  const { proxy, caFile } = upstream
  const urls = proxy === undefined ? addressesOf(upstream) : [proxy]
  const tried = await Promise.all(
    urls.map(async (url) => ({ origin: originOf(url), probe: await probe({ url, caFile }) })),
  )
  const text = tried.map(({ origin, probe }) => `${proxy === undefined ? '' : 'proxy '}${origin} ${resultText(probe)}`)
  const reached = tried.filter(({ probe }) => probe.kind === 'reached').length
  if (reached === tried.length) return { verdict: 'ok', text: text.join(', ') }
  // A way that the environment names was not tried.
  const other = proxy === undefined ? proxyVariable(env) : undefined
  if (other === undefined) return { verdict: reached === 0 ? 'failed' : 'warning', text: text.join(', ') }
  return { verdict: 'warning', text: `${text.join(', ')} directly (${other} is set and was not tried)` }
}

function addressesOf({ kind, baseUrl, replicas }: UpstreamSettings): readonly string[] {
  if (replicas.length > 0) return replicas
  if (baseUrl !== undefined) return [baseUrl]
  return isHosted(kind) ? [hostedOrigins[kind]] : []
}

/** Without user info, which may be a password. */
function originOf(url: string): string {
  return new URL(url).origin
}

function resultText(probe: Probe): string {
  return probe.kind === 'reached' ? `reached in ${probe.ms} ms` : `not reached: ${probe.why}`
}

function proxyVariable(env: Environment): string | undefined {
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].find((name) => (env[name] ?? '') !== '')
}

function keyText(upstream: UpstreamSettings, variables: readonly string[] | undefined): string {
  const { apiKey, apiKeys, orgKeys, credentials } = upstream
  if (credentials === 'client') return "callers' own keys"
  if (variables !== undefined) return `key of ${variables[0]}`
  const shared = apiKeys.length + (apiKey === undefined ? 0 : 1)
  const own = Object.keys(orgKeys).length
  if (shared + own === 0) return 'no key'
  return own === 0 ? `keys: ${shared}` : `keys: ${shared}, of organisations: ${own}`
}
