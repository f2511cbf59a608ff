import type { JsonObject } from '../json.ts'
import { isObject, listOf, objectOf } from '../json.ts'
import { refuse } from './wording.ts'

interface SchemaPlace {
  readonly kind: 'function' | 'response_format'
  readonly name: string
  readonly param: string
}

/** Strict mode wants every object closed and every property required. @throws Refusal where one is not */
export function checkStrictSchema(schema: unknown, place: SchemaPlace): void {
  if (!isObject(schema)) throw loose(place, [], 'schema must be a JSON Schema of \'type: "object"\'.')
  checkSchema(schema, place, [])
}

function checkSchema(schema: JsonObject, place: SchemaPlace, path: readonly string[]): void {
  if (schema['type'] === 'object') checkObject(schema, place, path)
  for (const [name, property] of Object.entries(objectOf(schema['properties']))) {
    checkSchema(objectOf(property), place, [...path, 'properties', name])
  }
  for (const name of ['$defs', 'definitions']) {
    for (const [key, definition] of Object.entries(objectOf(schema[name])))
      checkSchema(objectOf(definition), place, [...path, name, key])
  }
  if (isObject(schema['items'])) checkSchema(schema['items'], place, [...path, 'items'])
  for (const [index, option] of listOf(schema['anyOf']).entries())
    checkSchema(objectOf(option), place, [...path, 'anyOf', String(index)])
}

function checkObject(schema: JsonObject, place: SchemaPlace, path: readonly string[]): void {
  if (schema['additionalProperties'] !== false) {
    throw loose(place, path, "'additionalProperties' is required to be supplied and to be false.")
  }
  const missing = Object.keys(objectOf(schema['properties'])).find((name) => !listOf(schema['required']).includes(name))
  if (missing === undefined) return
  throw loose(
    place,
    path,
    `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`,
  )
}

function loose({ kind, name, param }: SchemaPlace, path: readonly string[], what: string): Error {
  const where = path.map((step) => `'${step}'`).join(', ')
  return refuse('looseSchema', param, kind, name, `In context=(${where}), ${what}`)
}
