/** The value of a keyword that counts; `undefined` where it is none. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}

/** The value of a keyword that is a number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** Whether a JSON value is of a type of JSON schema. @example isOfType(1, 'number') // true */
export function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return typeof value === type
  }
}

/** Keywords of which `meets` knows whether a value is within them. */
export const checkedKeywords = [
  'type',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
] as const

/** Whether a value is what these keywords of a schema ask for. @example meets(3, { type: 'integer', maximum: 2 }) // false */
export function meets(value: unknown, schema: Readonly<Record<string, unknown>>): boolean {
  const { type } = schema
  if (type !== undefined && !(Array.isArray(type) ? type : [type]).some((one) => isOfType(value, one))) return false
  if (typeof value === 'number') {
    return (
      value >= (numberOf(schema['minimum']) ?? -Infinity) &&
      value <= (numberOf(schema['maximum']) ?? Infinity) &&
      value > (numberOf(schema['exclusiveMinimum']) ?? -Infinity) &&
      value < (numberOf(schema['exclusiveMaximum']) ?? Infinity)
    )
  }
  if (typeof value !== 'string') return true
  const { length } = Array.from(value)
  return length >= (countOf(schema['minLength']) ?? 0) && length <= (countOf(schema['maxLength']) ?? Infinity)
}
