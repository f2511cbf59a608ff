import { repeated } from './gbnf.ts'
import { countOf } from './keywords.ts'
import type { Schema } from './merge-schemas.ts'
import { lengthsOf, parsePattern, PatternError } from './pattern.ts'
import { patternBody } from './pattern-rules.ts'
import type { SchemaReader } from './schema-reader.ts'
import { formatPatterns, stringFormats } from './string-formats.ts'

/** Longest count that a repetition may have: llama.cpp writes each of them out. */
const mostCharacters = 1_000

/** GBNF for strings of a schema. */
export function stringBody(reader: SchemaReader, schema: Schema, pointer: string): string {
  const { rules, json } = reader
  const least = countOf(schema['minLength']) ?? 0
  const most = countOf(schema['maxLength'])
  if (most !== undefined && most < least) reader.invalid(pointer, `no string has ${least} to ${most} characters`)
  const expressed = byExpression(reader, schema, pointer, { least, most })
  if (expressed !== undefined) return rules.add('text', `"\\"" ${expressed} "\\""`)
  if (least === 0 && most === undefined) return json.string
  if (least > mostCharacters) reader.cannot(`${pointer}/minLength`, `it is ${least}, ${mostCharacters} can be kept to`)
  if (most !== undefined && most > mostCharacters)
    reader.cannot(`${pointer}/maxLength`, `it is ${most}, ${mostCharacters} can be kept to`)
  return rules.add('text', `"\\"" ${repeated(json.character, least, most)} "\\""`)
}

/**
 * GBNF for what `pattern` or `format` allow; `undefined` where nothing does, or it is left to the model. Of both the
 * pattern is kept to: beside one, a format describes.
 */
function byExpression(
  reader: SchemaReader,
  schema: Schema,
  pointer: string,
  bounds: { readonly least: number; readonly most: number | undefined },
): string | undefined {
  const { format, pattern } = schema
  const known = typeof format === 'string' && Object.hasOwn(stringFormats, format) ? stringFormats[format] : undefined
  if (typeof pattern === 'string') {
    const isOfFormat = typeof format === 'string' && formatPatterns[format]?.includes(pattern) === true
    if (!isOfFormat) {
      const body = expression(reader, pattern, { at: `${pointer}/pattern`, ...bounds })
      if (body !== undefined) return body
    }
  } else if (typeof format === 'string' && known === undefined) {
    const names = Object.keys(stringFormats).join(', ')
    reader.cannot(`${pointer}/format`, `the format ${JSON.stringify(format)} cannot be enforced; known: ${names}`)
  }
  return known === undefined ? undefined : expression(reader, known, { at: `${pointer}/format`, ...bounds })
}

function expression(
  reader: SchemaReader,
  source: string,
  { at, least, most }: { readonly at: string; readonly least: number; readonly most: number | undefined },
): string | undefined {
  try {
    const read = parsePattern(source)
    const lengths = lengthsOf(read)
    if (lengths.least < least || lengths.most > (most ?? Infinity)) {
      const bounds = `${least} to ${most ?? 'any number of'} characters`
      reader.cannot(at, `it allows other lengths than ${bounds}, and both cannot be kept to at once`)
    }
    return patternBody(reader.rules, read)
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    reader.cannot(at, `${JSON.stringify(source.slice(0, 100))} cannot be enforced: ${cause.message}`)
    return undefined
  }
}
