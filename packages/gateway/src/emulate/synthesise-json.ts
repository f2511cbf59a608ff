import type { JsonObject } from './json.ts'
import { given, isObject, listOf, numberOf, objectOf, textOf } from './json.ts'

/** A schema that refers to itself ends here: deeper optional parts are left out. */
const maxDepth = 24

/**
 * A value that a JSON schema accepts: first of each enum, required members only, one item per array.
 * @example synthesiseJson({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] })
 */
export function synthesiseJson(schema: unknown): unknown {
  return valueFor(schema, objectOf(schema), 'value', 0)
}

function valueFor(schemaOrBoolean: unknown, root: JsonObject, name: string, depth: number): unknown {
  const schema = resolved(objectOf(schemaOrBoolean), root)
  if (schema['const'] !== undefined) return schema['const']
  const choices = listOf(schema['enum'])
  if (choices.length > 0) return choices[0]
  const alternatives = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  if (alternatives.length > 0) return valueFor(shallowest(alternatives, depth), root, name, depth + 1)
  if (Array.isArray(schema['allOf'])) return valueFor(merged(schema), root, name, depth + 1)
  return valueOfType(typeOf(schema), schema, { root, name, depth })
}

interface Place {
  readonly root: JsonObject
  readonly name: string
  readonly depth: number
}

function valueOfType(type: string, schema: JsonObject, place: Place): unknown {
  switch (type) {
    case 'object':
      return objectFor(schema, place)
    case 'array':
      return arrayFor(schema, place)
    case 'integer':
    case 'number':
      return numberFor(schema)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return stringFor(schema, place.name)
  }
}

function objectFor(schema: JsonObject, { root, depth }: Place): JsonObject {
  const properties = objectOf(schema['properties'])
  const required = listOf(schema['required']).filter((name) => typeof name === 'string')
  return Object.fromEntries(required.map((name) => [name, valueFor(properties[name], root, name, depth + 1)]))
}

function arrayFor(schema: JsonObject, { root, name, depth }: Place): readonly unknown[] {
  const least = numberOf(schema['minItems']) ?? 0
  const most = numberOf(schema['maxItems']) ?? Infinity
  const wanted = depth > maxDepth ? least : Math.min(Math.max(least, 1), most)
  return Array.from({ length: wanted }, () => valueFor(schema['items'], root, name, depth + 1))
}

function numberFor(schema: JsonObject): number {
  const step = numberOf(schema['multipleOf']) ?? 1
  const above = numberOf(schema['exclusiveMinimum'])
  const least = numberOf(schema['minimum']) ?? (above === undefined ? undefined : above + step)
  if (least !== undefined) return Math.ceil(least / step) * step
  const below = numberOf(schema['exclusiveMaximum'])
  const most = numberOf(schema['maximum']) ?? (below === undefined ? undefined : below - step)
  return most === undefined ? step : Math.min(step, Math.floor(most / step) * step)
}

const formats: Readonly<Record<string, string>> = {
  date: '2026-01-15',
  time: '09:30:00Z',
  'date-time': '2026-01-15T09:30:00Z',
  duration: 'PT1H',
  email: 'reader@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '3f1c9a52-6f0e-4c1b-9d2a-5b7e8c0a1d34',
}

function stringFor(schema: JsonObject, name: string): string {
  const known = formats[textOf(schema['format']) ?? '']
  if (known !== undefined) return known
  const text = `${name} `
    .repeat(Math.max(1, Math.ceil((numberOf(schema['minLength']) ?? 1) / (name.length + 1))))
    .trimEnd()
  const least = numberOf(schema['minLength']) ?? 0
  return text.padEnd(least, 'x').slice(0, numberOf(schema['maxLength']) ?? undefined)
}

function typeOf(schema: JsonObject): string {
  const { type } = schema
  const named = Array.isArray(type) ? (type.find((entry) => entry !== 'null') ?? 'null') : type
  if (typeof named === 'string') return named
  if (isObject(schema['properties'])) return 'object'
  return given(schema['items']) ? 'array' : 'string'
}

function resolved(schema: JsonObject, root: JsonObject, hops: number = 0): JsonObject {
  const reference = textOf(schema['$ref'])
  if (reference === undefined || hops > maxDepth) return schema
  const path = reference
    .replace(/^#\/?/, '')
    .split('/')
    .filter((step) => step !== '')
  const target = path.reduce<unknown>((at, step) => objectOf(at)[unescaped(step)], root)
  return resolved(objectOf(target), root, hops + 1)
}

function unescaped(step: string): string {
  return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Deep down the alternative without members is taken, so that schemas that refer to themselves end. */
function shallowest(alternatives: readonly unknown[], depth: number): unknown {
  const simple = alternatives.find((entry) => objectOf(entry)['type'] === 'null')
  return depth > maxDepth / 2 && simple !== undefined ? simple : alternatives[0]
}

function merged(schema: JsonObject): JsonObject {
  const { allOf, ...rest } = schema
  return [rest, ...listOf(allOf).map(objectOf)].reduce<JsonObject>(
    (into, part) => ({
      ...into,
      ...part,
      properties: { ...objectOf(into['properties']), ...objectOf(part['properties']) },
      required: [...listOf(into['required']), ...listOf(part['required'])],
    }),
    {},
  )
}
