/** A JSON object that came over the wire: nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>

/** @example isObject(JSON.parse('{}')) // true */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object itself, or an empty one for everything else. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** The array itself, or an empty one for everything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The string itself, or `undefined` for everything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The number itself, or `undefined` for everything else. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** True where a member is there and not `null`: both mean "not given" to every provider here. */
export function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** What kind of JSON value was seen, for error messages: never the value itself. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
