import { isDeepStrictEqual } from 'node:util'
import { configHash } from './config-hash.ts'
import type { ConfigSettings } from './config.ts'
import type { LoadedConfig } from './load-config.ts'

/** A configuration as far as a running gateway can take it. */
export interface KeptFixed {
  readonly config: LoadedConfig
  /** Names of changed settings that wait for a restart, as the file has them. */
  readonly needRestart: readonly string[]
}

/**
 * The new configuration with the values that only a start can set taken from the running one. Its hash
 * is that of what is in effect.
 *
 * @example const { config, needRestart } = keepFixed(running, loaded)
 */
export function keepFixed(running: LoadedConfig, next: LoadedConfig): KeptFixed {
  const needRestart = fixed.filter(({ of }) => !isDeepStrictEqual(of(running), of(next))).map(({ name }) => name)
  const { server } = running
  const config = {
    ...next,
    server: {
      ...next.server,
      host: server.host,
      port: server.port,
      maxHeaderBytes: server.maxHeaderBytes,
      maxConnections: server.maxConnections,
      requestTimeoutSeconds: server.requestTimeoutSeconds,
    },
    dataDir: running.dataDir,
    secret: running.secret,
    engine: running.engine,
    store: running.store,
    telemetry: running.telemetry,
  }
  return { config: { ...config, hash: configHash(settingsOf(config)) }, needRestart }
}

/** The settings alone, without what is known about them. */
export function settingsOf(config: LoadedConfig): ConfigSettings {
  const {
    generation: _number,
    hash: _hash,
    file: _file,
    empty: _empty,
    warnings: _notes,
    discovered: _found,
    ...settings
  } = config
  return settings
}

interface FixedSetting {
  readonly name: string
  readonly of: (settings: ConfigSettings) => unknown
}

const fixed: readonly FixedSetting[] = [
  { name: 'server.host', of: ({ server }) => server.host },
  { name: 'server.port', of: ({ server }) => server.port },
  { name: 'server.max_header_bytes', of: ({ server }) => server.maxHeaderBytes },
  { name: 'server.max_connections', of: ({ server }) => server.maxConnections },
  { name: 'server.request_timeout_seconds', of: ({ server }) => server.requestTimeoutSeconds },
  { name: 'data_dir', of: ({ dataDir }) => dataDir },
  { name: 'secret', of: ({ secret }) => secret },
  { name: 'engine.enabled', of: ({ engine }) => engine.enabled },
  { name: 'engine.threads', of: ({ engine }) => engine.threads },
  { name: 'engine.flash_attention', of: ({ engine }) => engine.flashAttention },
  { name: 'engine.hot_bytes', of: ({ engine }) => engine.hotBytes },
  { name: 'engine.ram_bytes', of: ({ engine }) => engine.ramBytes },
  { name: 'engine.disk_bytes', of: ({ engine }) => engine.diskBytes },
  { name: 'engine.min_cached_tokens', of: ({ engine }) => engine.minCachedTokens },
  { name: 'engine.max_concurrent', of: ({ engine }) => engine.maxConcurrent },
  { name: 'engine.max_queued', of: ({ engine }) => engine.maxQueued },
  { name: 'engine.hang_seconds', of: ({ engine }) => engine.hangSeconds },
  { name: 'engine.models', of: ({ engine }) => engine.models },
  { name: 'store.url', of: ({ store }) => store.url },
  { name: 'telemetry.org_label', of: ({ telemetry }) => telemetry.orgLabel },
  { name: 'telemetry.vllm_names', of: ({ telemetry }) => telemetry.vllmNames },
]
