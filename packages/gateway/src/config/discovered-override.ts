import { ConfigError } from './config-error.ts'
import { valueAt } from './describe-issues.ts'
import type { Discovery, OwnAddress } from './discover-upstreams.ts'
import { discoverUpstreams } from './discover-upstreams.ts'
import type { Environment } from './environment-references.ts'
import type { Override } from './overrides.ts'
import { withValue } from './with-value.ts'

/** Upstreams of the environment as values for `upstreams`, and what is to be told of them. */
export interface DiscoveredOverride extends Pick<Discovery, 'sources' | 'skipped'> {
  readonly overrides: readonly Override[]
}

/**
 * Only where the file does not speak of upstreams; `INCIPIT_DISCOVERY=off` switches it off.
 * @throws ConfigError when INCIPIT_DISCOVERY is neither on nor off
 * @example discoveredOverride(document.value, overrides, process.env)
 */
export function discoveredOverride(raw: unknown, overrides: readonly Override[], env: Environment): DiscoveredOverride {
  const nothing = { sources: [], skipped: [], overrides: [] }
  const wanted = env['INCIPIT_DISCOVERY'] ?? ''
  if (!['', 'on', 'off'].includes(wanted)) {
    throw new ConfigError('the configuration cannot be used, 1 problem:\n  INCIPIT_DISCOVERY: allowed: on or off')
  }
  if (wanted === 'off' || valueAt(raw, ['upstreams']) !== undefined) return nothing
  const value = overrides.reduce((value, override) => withValue(value, override.path, override.value), raw)
  const { upstreams, sources, skipped } = discoverUpstreams(env, ownAddress(value))
  if (upstreams.length === 0) return { ...nothing, skipped }
  return { sources, skipped, overrides: [{ path: ['upstreams'], value: upstreams, source: 'the environment' }] }
}

/** Nothing is validated yet: what is no host, port or key here will be refused later. */
function ownAddress(value: unknown): OwnAddress {
  const host = valueAt(value, ['server', 'host'])
  const port = valueAt(value, ['server', 'port'])
  const keys = valueAt(value, ['keys'])
  return {
    host: typeof host === 'string' ? host : '127.0.0.1',
    port: Number(port ?? 4141),
    keys: Array.isArray(keys) ? keys.map((key) => valueAt(key, ['key'])).filter((key) => typeof key === 'string') : [],
  }
}
