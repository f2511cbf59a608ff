import type { GenerationEvent } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { Engine, EngineRequest } from '@incipit/engine'

/**
 * Asks the engine for a generation; nothing is computed before the first event is awaited.
 * @throws IncipitError `engine_unavailable` where there is no engine, and whatever the engine refuses
 * @example for await (const event of callEngine(house, request, signal)) ...
 */
export function callEngine(
  house: { readonly engine: Engine | undefined; readonly engineMissing: string | undefined },
  request: EngineRequest,
  signal: AbortSignal,
): AsyncIterable<GenerationEvent> {
  if (house.engine === undefined) {
    throw new IncipitError('engine_unavailable', `the engine is off: ${house.engineMissing ?? 'not configured'}`)
  }
  return house.engine.generate(request, signal)
}
