import type { GenerationEvent } from '@incipit/core'
import type { EngineRequest } from '@incipit/engine'
import type { House } from '../house.ts'
import { requireEngine } from './require-engine.ts'

/**
 * Asks the engine for a generation; nothing is computed before the first event is awaited.
 * @throws IncipitError `engine_unavailable` where there is no engine, and whatever the engine refuses
 * @example for await (const event of callEngine(house, request, signal)) ...
 */
export function callEngine(
  house: Pick<House, 'engine' | 'engineMissing'>,
  request: EngineRequest,
  signal: AbortSignal,
): AsyncIterable<GenerationEvent> {
  return requireEngine(house).generate(request, signal)
}
