import { repeated } from './gbnf.ts'
import { countOf } from './keywords.ts'
import type { Schema } from './merge-schemas.ts'
import type { SchemaReader } from './schema-reader.ts'

/** Longest count that a repetition may have: llama.cpp writes each of them out. */
const mostItems = 1_000

/** GBNF for arrays of a schema. */
export function arrayBody(reader: SchemaReader, schema: Schema, pointer: string, depth: number): string {
  const { items } = schema
  const least = countOf(schema['minItems']) ?? 0
  const most = countOf(schema['maxItems'])
  if (most !== undefined && most < least) reader.invalid(pointer, `no array has ${least} to ${most} items`)
  if (least > mostItems) reader.cannot(`${pointer}/minItems`, `it is ${least}, ${mostItems} can be kept to`)
  if (most !== undefined && most > mostItems)
    reader.cannot(`${pointer}/maxItems`, `it is ${most}, ${mostItems} can be kept to`)
  // Before 2020 the items of tuples were written so.
  const isOld = Array.isArray(items)
  const prefix: readonly unknown[] = isOld ? items : Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
  const rest = isOld ? (schema['additionalItems'] ?? true) : (items ?? true)
  if (rest === false && least > prefix.length)
    reader.invalid(`${pointer}/minItems`, `it is ${least}, and ${prefix.length} items are allowed`)
  if (prefix.length > 0) return tuple(reader, { prefix, rest, least, most, pointer, depth, isOld })
  if (most === 0 || rest === false) return '"[]"'
  const item = reader.nested(rest, `${pointer}/items`, depth)
  const filled = `${item} ${repeated(`("," space ${item})`, Math.max(0, least - 1), most === undefined ? undefined : most - 1)}`
  return reader.rules.add('array', `"[" ${least === 0 ? `(${filled})?` : filled} "]"`)
}

/** All items that are described, and of others as many as there have to be. */
function tuple(
  reader: SchemaReader,
  options: {
    readonly prefix: readonly unknown[]
    readonly rest: unknown
    readonly least: number
    readonly most: number | undefined
    readonly pointer: string
    readonly depth: number
    readonly isOld: boolean
  },
): string {
  const { prefix, rest, least, most, pointer, depth, isOld } = options
  const items = prefix.slice(0, most).map((item, index) => {
    reader.checkSize(pointer)
    return reader.nested(item, `${pointer}/${isOld ? 'items' : 'prefixItems'}/${index}`, depth)
  })
  const missing = Math.min(least - items.length, mostItems)
  if (missing > 0) {
    const other = reader.nested(rest, `${pointer}/items`, depth)
    items.push(missing === 1 ? other : `${other} ("," space ${other}){${missing - 1}}`)
  }
  return reader.rules.add('tuple', `"[" ${items.length === 0 ? '""' : items.join(' "," space ')} "]"`)
}
