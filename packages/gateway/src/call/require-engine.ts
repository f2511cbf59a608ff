import { IncipitError } from '@incipit/core'
import type { Engine } from '@incipit/engine'
import type { House } from '../house.ts'

/**
 * The engine of a house that has one.
 * @throws IncipitError `engine_unavailable` with the reason where there is none
 * @example const report = await requireEngine(house).reset({})
 */
export function requireEngine(house: Pick<House, 'engine' | 'engineMissing'>): Engine {
  if (house.engine !== undefined) return house.engine
  throw new IncipitError('engine_unavailable', `the engine is off: ${house.engineMissing ?? 'not configured'}`)
}
