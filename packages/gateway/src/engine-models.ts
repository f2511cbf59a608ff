import type { LocalRules } from '@incipit/core'
import type { EngineConfig, EngineModelConfig } from '@incipit/engine'
import type { ConfigSettings } from './config/config.ts'
import type { ServedModel } from './route/route.ts'

/** A model entry of the configuration: one or more instances of the same weights. */
export interface ModelEntry {
  readonly name: string
  readonly path: string
  readonly aliases: readonly string[]
  readonly contextTokens?: number | undefined
  /** Whose rules its cache is counted by; `native` where left out. */
  readonly rules?: LocalRules | undefined
  /** How many instances, each with a KV cache of its own; sessions are spread over them (CF-3). */
  readonly instances: number
}

/**
 * What the engine loads: one model per instance, which share the weights through the page cache.
 * @example engineModels([{ name: 'demo', path: 'builtin:demo', aliases: [], instances: 2 }]) // demo#0, demo#1
 */
export function engineModels(entries: readonly ModelEntry[]): EngineModelConfig[] {
  return entries.flatMap((entry) =>
    instanceNames(entry).map((name) => ({
      name,
      path: entry.path,
      aliases: entry.aliases,
      contextTokens: entry.contextTokens,
    })),
  )
}

/** What the engine is started with. */
export function engineConfig({ engine, dataDir }: Pick<ConfigSettings, 'engine' | 'dataDir'>): EngineConfig {
  return {
    models: engineModels(engine.models),
    dataDir,
    threads: engine.threads,
    hotBytes: engine.hotBytes,
    ramBytes: engine.ramBytes,
    diskBytes: engine.diskBytes,
    flashAttention: engine.flashAttention,
    minCachedTokens: engine.minCachedTokens,
    maxConcurrent: engine.maxConcurrent,
    maxQueued: engine.maxQueued,
    hangMs: engine.hangSeconds * 1_000,
  }
}

/** What the router offers: one model per entry, its instances as replicas. */
export function servedModels(entries: readonly ModelEntry[]): ServedModel[] {
  return entries.map((entry) => ({
    upstream: 'engine' as const,
    name: entry.name,
    aliases: entry.aliases,
    rules: entry.rules ?? 'native',
    replicas: instanceNames(entry),
  }))
}

function instanceNames({ name, instances }: ModelEntry): string[] {
  return instances === 1 ? [name] : Array.from({ length: instances }, (_, index) => `${name}#${index}`)
}
