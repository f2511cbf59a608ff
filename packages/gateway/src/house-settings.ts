import { KeyRing } from './authenticate/authenticate.ts'
import type { Config } from './config/config.ts'
import { servedModels } from './engine-models.ts'
import type { HousePorts, HouseSettings } from './house.ts'
import type { Upstream } from './upstreams/upstream.ts'
import { openUpstreams } from './upstreams/upstream-set.ts'

/**
 * The part of the house that a configuration makes: at the start, and for every one accepted later.
 * `known`: the upstreams served so far; those that have not changed are kept.
 * @throws Error when an upstream cannot be opened
 * @example const house = { ...ports, ...houseSettings(config, ports, []) }
 */
export function houseSettings(
  config: Config,
  { engine, hasher, secret }: Pick<HousePorts, 'engine' | 'hasher' | 'secret'>,
  known: readonly Upstream[],
): HouseSettings {
  const { generation, hash, mode, injectStreamUsage, workflowCache, server } = config
  const takesClients = config.upstreams.some(({ credentials }) => credentials === 'client')
  return {
    keys: new KeyRing(config.keys, takesClients ? { hasher, secret } : undefined),
    routes: {
      models: engine === undefined ? [] : servedModels(config.engine.models),
      upstreams: openUpstreams(config.upstreams, known),
      strictModels: config.strictModels,
    },
    config: {
      generation,
      hash,
      mode,
      optimises: mode === 'apply' && workflowCache.enabled && workflowCache.providerPrefixOptimization.enabled,
      injectStreamUsage,
      maxBodyBytes: server.maxBodyBytes,
    },
  }
}
