import { createHash } from 'node:crypto'
import type { ConfigSettings } from './config.ts'
import { maskStoreUrl, maskUrl } from './mask-url.ts'
import type { UpstreamSettings } from './upstream-settings.ts'

const hidden = '***'

/**
 * The settings with the values of secrets replaced, for hashing and for showing.
 * @example JSON.stringify(maskSecrets(config))
 */
export function maskSecrets<Settings extends ConfigSettings>(settings: Settings): Settings {
  return {
    ...settings,
    secret: settings.secret === undefined ? undefined : hidden,
    keys: settings.keys.map((key) => ({ ...key, key: hidden })),
    upstreams: settings.upstreams.map(maskUpstream),
    store: { url: settings.store.url === null ? null : maskStoreUrl(settings.store.url) },
  }
}

/** SHA-256 over the effective settings without the values of secrets: 64 hex digits. */
export function configHash(settings: ConfigSettings): string {
  return createHash('sha256')
    .update(JSON.stringify(maskSecrets(settings)))
    .digest('hex')
}

function maskUpstream(upstream: UpstreamSettings): UpstreamSettings {
  return {
    ...upstream,
    baseUrl: upstream.baseUrl === undefined ? undefined : maskUrl(upstream.baseUrl),
    replicas: upstream.replicas.map(maskUrl),
    apiKey: upstream.apiKey === undefined ? undefined : hidden,
    apiKeys: upstream.apiKeys.map(() => hidden),
    orgKeys: maskValues(upstream.orgKeys),
    headers: maskValues(upstream.headers),
    proxy: upstream.proxy === undefined ? undefined : maskUrl(upstream.proxy),
  }
}

function maskValues(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, hidden]))
}
