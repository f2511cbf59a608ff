import { KeyRing } from './authenticate/authenticate.ts'
import type { Config } from './config/config.ts'
import { servedModels } from './engine-models.ts'
import type { HousePorts, HouseSettings } from './house.ts'
import { LayeredPrices } from './prices/layered-prices.ts'
import type { Upstream } from './upstreams/upstream.ts'
import { openUpstreams } from './upstreams/upstream-set.ts'

type SettingsPorts = Pick<HousePorts, 'engine' | 'hasher' | 'secret' | 'clock' | 'book' | 'log'>

/**
 * The part of the house that a configuration makes: at the start, and for every one accepted later.
 * `known`: the upstreams served so far; those that have not changed are kept.
 * @throws Error when an upstream cannot be opened
 * @example const house = { ...ports, ...houseSettings(config, ports, []) }
 */
export function houseSettings(
  config: Config,
  { engine, hasher, secret, clock, book, log }: SettingsPorts,
  known: readonly Upstream[],
): HouseSettings {
  const { generation, hash, mode, injectStreamUsage, workflowCache, server, controlFraction } = config
  const takesClients = config.upstreams.some(({ credentials }) => credentials === 'client')
  return {
    keys: new KeyRing(config.keys, { clients: takesClients ? { hasher, secret } : undefined, book, clock }),
    orgLimits: new Map(config.orgs.map(({ name, limits }) => [name, limits])),
    routes: {
      models: engine === undefined ? [] : servedModels(config.engine.models),
      upstreams: openUpstreams(config.upstreams, known),
      strictModels: config.strictModels,
    },
    prices: new LayeredPrices(config.prices.rows, (err) => log.error({ err }, 'a price list cannot be read')),
    config: {
      generation,
      hash,
      mode,
      optimises: mode === 'apply' && workflowCache.enabled && workflowCache.providerPrefixOptimization.enabled,
      injectStreamUsage,
      maxBodyBytes: server.maxBodyBytes,
      controlFraction,
    },
  }
}
