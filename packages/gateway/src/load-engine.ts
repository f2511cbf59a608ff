import type { Engine, EngineConfig, EnginePorts } from '@incipit/engine'

/** The engine, or why there is none. */
export type LoadedEngine =
  | { readonly kind: 'started'; readonly engine: Engine }
  | { readonly kind: 'unavailable'; readonly reason: string }

/**
 * Loads `@incipit/engine`, an optional dependency, only when it is wanted.
 * @example const loaded = await loadEngine(config, { now: () => clock.now() })
 */
export async function loadEngine(config: EngineConfig, ports: EnginePorts): Promise<LoadedEngine> {
  let engine: typeof import('@incipit/engine')
  try {
    engine = await import('@incipit/engine')
  } catch (cause) {
    return {
      kind: 'unavailable',
      reason: `install @incipit/engine to serve local models (${(cause as Error).message})`,
    }
  }
  return engine.startEngine(config, ports)
}
