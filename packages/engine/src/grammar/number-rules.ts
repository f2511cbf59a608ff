import { numberOf } from './keywords.ts'
import type { Schema } from './merge-schemas.ts'
import { multiplesOf } from './multiples.ts'
import { numberRange, wholeBounds } from './number-range.ts'
import type { NumberBounds } from './number-range.ts'
import type { SchemaReader } from './schema-reader.ts'

/** GBNF for numbers of a schema: of bounded ones a part, which digits can express. */
export function numberBody(reader: SchemaReader, schema: Schema, pointer: string): string {
  const bounds = boundsOf(schema)
  const step = numberOf(schema['multipleOf'])
  checkOrder(reader, bounds, pointer, schema['type'] === 'integer' || isWhole(step))
  if (step !== undefined && step !== 1) {
    const body = steps(reader, schema, { bounds, step })
    if (body !== undefined) return body
    reader.cannot(`${pointer}/multipleOf`, `multiples of ${step} within these bounds cannot be enforced`)
  }
  const isBounded = Object.values(bounds).some((bound) => bound !== undefined)
  const isInteger = schema['type'] === 'integer' || step === 1
  const { integer, number } = reader.json
  if (!isBounded) return isInteger ? integer : number
  const range = numberRange(bounds, isInteger ? 0 : undefined)
  if (range !== undefined) return range
  reader.cannot(pointer, 'numbers within these bounds cannot be enforced')
  return isInteger ? integer : number
}

function steps(
  reader: SchemaReader,
  schema: Schema,
  { bounds, step }: { readonly bounds: NumberBounds; readonly step: number },
): string | undefined {
  if (isWhole(step)) return multiplesOf(reader.rules, step, wholeBounds(bounds))
  const decimals = Math.round(-Math.log10(step))
  if (decimals < 1 || decimals > 6 || step !== Number(`1e-${decimals}`)) return undefined
  return numberRange(bounds, schema['type'] === 'integer' ? 0 : decimals)
}

function boundsOf(schema: Schema): NumberBounds {
  const [minimum, maximum] = [numberOf(schema['minimum']), numberOf(schema['maximum'])]
  // In old schemas the exclusive ones say of the others how they are meant.
  const [over, under] = [schema['exclusiveMinimum'] === true, schema['exclusiveMaximum'] === true]
  return {
    minimum: over ? undefined : minimum,
    maximum: under ? undefined : maximum,
    exclusiveMinimum: over ? minimum : numberOf(schema['exclusiveMinimum']),
    exclusiveMaximum: under ? maximum : numberOf(schema['exclusiveMaximum']),
  }
}

/** @throws IncipitError `invalid_request` where no number is within bounds */
function checkOrder(reader: SchemaReader, bounds: NumberBounds, pointer: string, whole: boolean): void {
  const { least, most } = wholeBounds(bounds)
  if (whole && least !== undefined && most !== undefined && least > most)
    reader.invalid(pointer, `no integer lies from ${least} to ${most}`)
  const low = Math.max(bounds.minimum ?? -Infinity, bounds.exclusiveMinimum ?? -Infinity)
  const high = Math.min(bounds.maximum ?? Infinity, bounds.exclusiveMaximum ?? Infinity)
  if (low > high) reader.invalid(pointer, `no number lies from ${low} to ${high}`)
}

function isWhole(step: number | undefined): boolean {
  return step !== undefined && Number.isInteger(step)
}
