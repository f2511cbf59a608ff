import { IncipitError } from '@incipit/core'
import type { GrammarRules } from './gbnf.ts'
import { literal, oneOf, repeated } from './gbnf.ts'
import { integerRange } from './integer-range.ts'
import type { JsonRules } from './json-rules.ts'
import { addJsonRules } from './json-rules.ts'

type Schema = Readonly<Record<string, unknown>>

/** How schemas are read. */
export interface SchemaOptions {
  /** Refuse what cannot be enforced; otherwise it is left to the model. */
  readonly strict: boolean
  /** Where the schema stands in the client's body, for errors. */
  readonly pointer: string
}

/** Schemas larger than this are refused: each rule is looked at for every token. */
const mostRules = 5_000
const mostDepth = 64

/** Keywords that constrain and that no grammar of ours enforces. */
const notEnforced = [
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'contains',
  'uniqueItems',
  'multipleOf',
  'pattern',
] as const

/**
 * Turns a schema and what it refers to into rules for the JSON texts it allows: members in the order of the schema, and
 * no others where it names any. Throws IncipitError `unsupported_feature` or `invalid_request` naming the pointer.
 *
 * @example grammarText((rules) => new SchemaRules(rules, parseSchema(json, pointer), options).root())
 */
export class SchemaRules {
  readonly #rules: GrammarRules
  readonly #json: JsonRules
  readonly #document: unknown
  readonly #options: SchemaOptions
  readonly #references = new Map<string, string>()

  constructor(rules: GrammarRules, document: unknown, options: SchemaOptions, json: JsonRules = addJsonRules(rules)) {
    this.#rules = rules
    this.#json = json
    this.#document = document
    this.#options = options
  }

  root(): string {
    return this.#value(this.#document, '', 0)
  }

  #value(schema: unknown, pointer: string, depth: number): string {
    if (depth > mostDepth) this.#refuse(pointer, `schemas nest deeper than ${mostDepth} levels`)
    this.#checkSize(pointer)
    if (schema === true) return this.#json.value
    if (!isRecord(schema)) return this.#invalid(pointer, 'a schema is an object or true')
    this.#checkKeywords(schema, pointer)
    if (typeof schema['$ref'] === 'string') return this.#reference(schema['$ref'], pointer, depth)
    if (Array.isArray(schema['enum'])) return this.#literals(schema['enum'], pointer)
    if ('const' in schema) return this.#literals([schema['const']], pointer)
    for (const name of ['anyOf', 'oneOf'] as const) {
      const choices = schema[name]
      if (Array.isArray(choices)) return this.#choices(choices, `${pointer}/${name}`, depth)
    }
    if (Array.isArray(schema['allOf'])) return this.#value(this.#merged(schema, pointer), pointer, depth + 1)
    return this.#typed(schema, pointer, depth)
  }

  #typed(schema: Schema, pointer: string, depth: number): string {
    const { type } = schema
    if (Array.isArray(type)) {
      return oneOf(type.map((one: unknown) => this.#typed({ ...schema, type: one }, pointer, depth)))
    }
    switch (type) {
      case 'object':
        return this.#object(schema, pointer, depth)
      case 'array':
        return this.#array(schema, pointer, depth)
      case 'string':
        return this.#string(schema)
      case 'integer':
        return this.#integer(schema, pointer)
      case 'number':
        return this.#number(schema, pointer)
      case 'boolean':
        return this.#json.boolean
      case 'null':
        return '"null"'
      case undefined:
        if ('properties' in schema) return this.#object(schema, pointer, depth)
        if ('items' in schema || 'prefixItems' in schema) return this.#array(schema, pointer, depth)
        return this.#json.value
      default:
        return this.#invalid(`${pointer}/type`, `there is no type ${JSON.stringify(type)}`)
    }
  }

  #object(schema: Schema, pointer: string, depth: number): string {
    const properties = isRecord(schema['properties']) ? Object.entries(schema['properties']) : []
    const additional = schema['additionalProperties']
    if (properties.length === 0) return this.#freeObject(additional, pointer, depth)
    const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
    const members = properties.map(([name, property]) => ({
      text: `${literal(`${JSON.stringify(name)}:`)} ${this.#json.space} ${this.#nested(property, `${pointer}/properties/${escapePointer(name)}`, depth)}`,
      isRequired: required.has(name),
    }))
    const more = isRecord(additional) ? this.#additionalMember(additional, pointer, depth) : undefined
    // From the last one on: what may follow a member depends on whether one came before it, for the comma.
    let [first, later] = more === undefined ? ['', ''] : [`(${more} ("," space ${more})*)?`, `("," space ${more})*`]
    for (const { text, isRequired } of members.toReversed()) {
      this.#checkSize(pointer)
      const rest = this.#rules.add('rest', later === '' ? '""' : later)
      const begun = `${text} ${rest}`
      const continued = `"," ${this.#json.space} ${text} ${rest}`
      first = isRequired ? begun : oneOf([begun, ...(first === '' ? ['""'] : [this.#rules.add('first', first)])])
      later = isRequired ? continued : oneOf([continued, rest])
    }
    return this.#rules.add('object', `"{" ${first === '' ? '""' : first} "}"`)
  }

  #freeObject(additional: unknown, pointer: string, depth: number): string {
    if (additional === false) return '"{}"'
    if (!isRecord(additional)) return this.#json.object
    const member = this.#additionalMember(additional, pointer, depth)
    return this.#rules.add('object', `"{" (${member} ("," space ${member})*)? "}"`)
  }

  #additionalMember(schema: Schema, pointer: string, depth: number): string {
    const value = this.#nested(schema, `${pointer}/additionalProperties`, depth)
    return this.#rules.add('member', `string ":" space ${value}`)
  }

  #array(schema: Schema, pointer: string, depth: number): string {
    const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : []
    if (prefix.length > 0) {
      const items = prefix.map((item, index) => this.#nested(item, `${pointer}/prefixItems/${index}`, depth))
      return this.#rules.add('tuple', `"[" ${items.join(' "," space ')} "]"`)
    }
    const item = 'items' in schema ? this.#nested(schema['items'], `${pointer}/items`, depth) : this.#json.value
    const least = countOf(schema['minItems']) ?? 0
    const most = countOf(schema['maxItems'])
    if (most === 0) return '"[]"'
    const more = repeated(`("," space ${item})`, Math.max(0, least - 1), most === undefined ? undefined : most - 1)
    const filled = `${item} ${more}`
    return this.#rules.add('array', `"[" ${least === 0 ? `(${filled})?` : filled} "]"`)
  }

  #string(schema: Schema): string {
    const format = typeof schema['format'] === 'string' ? formats[schema['format']] : undefined
    if (format !== undefined) return `"\\"" ${format} "\\""`
    const [least, most] = [countOf(schema['minLength']), countOf(schema['maxLength'])]
    if (least === undefined && most === undefined) return this.#json.string
    return this.#rules.add('text', `"\\"" ${repeated(this.#json.character, least ?? 0, most)} "\\""`)
  }

  #integer(schema: Schema, pointer: string): string {
    const [least, most] = [leastInteger(schema), mostInteger(schema)]
    if (least === undefined && most === undefined) return this.#json.integer
    if ((least ?? -Infinity) > (most ?? Infinity)) this.#invalid(pointer, `no integer lies from ${least} to ${most}`)
    return integerRange(least, most)
  }

  /** Of bounded numbers a part: those between whole bounds, and fractions that stay within them. */
  #number(schema: Schema, pointer: string): string {
    const [least, most] = [leastInteger(schema), mostInteger(schema)]
    if (least === undefined && most === undefined) return this.#json.number
    // Without a whole number between the bounds, a grammar of digits cannot tell which fractions are.
    if ((least ?? -Infinity) > (most ?? Infinity) && isBelow(schema['minimum'], schema['maximum'])) {
      if (this.#options.strict)
        this.#refuse(pointer, 'bounds of a number without a whole one between them cannot be enforced')
      return this.#json.number
    }
    const alternatives = [this.#integer(schema, pointer)]
    const [low, high] = [least ?? -Infinity, most ?? Infinity]
    if (high - 1 >= Math.max(0, low)) alternatives.push(`${integerRange(Math.max(0, low), high - 1)} "." [0-9]{1,15}`)
    if (low + 1 <= Math.min(-1, high - 1))
      alternatives.push(`${integerRange(low + 1, Math.min(-1, high - 1))} "." [0-9]{1,15}`)
    return oneOf(alternatives)
  }

  #choices(choices: readonly unknown[], pointer: string, depth: number): string {
    if (choices.length === 0) this.#invalid(pointer, 'at least one schema is needed')
    return oneOf(choices.map((choice, index) => this.#nested(choice, `${pointer}/${index}`, depth)))
  }

  #literals(values: readonly unknown[], pointer: string): string {
    if (values.length === 0) this.#invalid(pointer, 'an enum needs at least one value')
    return oneOf(values.map((value) => literal(JSON.stringify(value) ?? 'null')))
  }

  #reference(target: string, pointer: string, depth: number): string {
    const known = this.#references.get(target)
    if (known !== undefined) return known
    if (!target.startsWith('#')) this.#refuse(`${pointer}/$ref`, 'only references within the schema are supported')
    const name = this.#rules.reserve(`ref-${target.split('/').at(-1) ?? ''}`)
    this.#references.set(target, name)
    this.#rules.set(name, this.#value(this.#resolve(target, pointer), target.slice(1), depth + 1))
    return name
  }

  #resolve(target: string, pointer: string): unknown {
    let at: unknown = this.#document
    for (const part of target.split('/').slice(1)) {
      const name = decoded(part)?.replaceAll('~1', '/').replaceAll('~0', '~')
      // What objects inherit is no part of a document.
      at = name !== undefined && isContainer(at) && Object.hasOwn(at, name) ? (at as Schema)[name] : undefined
    }
    return at ?? this.#invalid(`${pointer}/$ref`, `there is no ${target}`)
  }

  /** What all of several object schemas ask for, as one. */
  #merged(schema: Schema, pointer: string): Schema {
    const { allOf, ...own } = schema
    const parts = (allOf as unknown[]).map((part) => {
      const meant = isRecord(part) && typeof part['$ref'] === 'string' ? this.#resolve(part['$ref'], pointer) : part
      return isRecord(meant) ? meant : this.#invalid(`${pointer}/allOf`, 'a schema is an object')
    })
    const merged: Record<string, unknown> = {}
    for (const part of [...parts, own]) {
      for (const [name, value] of Object.entries(part)) {
        const before = merged[name]
        if (name === 'properties' && isRecord(before) && isRecord(value)) merged[name] = { ...before, ...value }
        else if (name === 'required' && Array.isArray(before) && Array.isArray(value))
          merged[name] = [...before, ...value]
        else merged[name] = value
      }
    }
    return merged
  }

  #nested(schema: unknown, pointer: string, depth: number): string {
    const body = this.#value(schema, pointer, depth + 1)
    return body.length > 40 ? this.#rules.add(pointer.split('/').at(-1) ?? 'value', body) : body
  }

  #checkSize(pointer: string): void {
    if (this.#rules.size > mostRules) this.#refuse(pointer, `the schema needs more than ${mostRules} rules`)
  }

  #checkKeywords(schema: Schema, pointer: string): void {
    if (!this.#options.strict) return
    const unsupported = notEnforced.find((keyword) => keyword in schema)
    if (unsupported !== undefined) {
      this.#refuse(`${pointer}/${unsupported}`, `"${unsupported}" cannot be enforced; leave it out, or strict`)
    }
    const { format } = schema
    if (typeof format === 'string' && formats[format] === undefined) {
      const known = Object.keys(formats).join(', ')
      this.#refuse(`${pointer}/format`, `the format ${JSON.stringify(format)} cannot be enforced; known: ${known}`)
    }
  }

  #refuse(pointer: string, what: string): never {
    const param = this.#options.pointer + pointer
    throw new IncipitError('unsupported_feature', `${param}: ${what}`, { param })
  }

  #invalid(pointer: string, what: string): never {
    const param = this.#options.pointer + pointer
    throw new IncipitError('invalid_request', `${param}: ${what}`, { param })
  }
}

const year = '[0-9]{4}'
const month = '("0" [1-9] | "1" [0-2])'
const day = '("0" [1-9] | [1-2] [0-9] | "3" [0-1])'
const time =
  '([0-1] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [-+] [0-1] [0-9] ":" [0-5] [0-9])'
const hex = '[0-9a-f]'

/** Formats of strings that are enforced. A day is of some month: 30 February is allowed. */
const formats: Readonly<Record<string, string>> = {
  date: `${year} "-" ${month} "-" ${day}`,
  time,
  'date-time': `${year} "-" ${month} "-" ${day} "T" ${time}`,
  uuid: `${hex}{8} "-" ${hex}{4} "-" ${hex}{4} "-" ${hex}{4} "-" ${hex}{12}`,
}

function leastInteger(schema: Schema): number | undefined {
  const bounds = [
    finite(schema['minimum'], Math.ceil),
    finite(schema['exclusiveMinimum'], (bound) => Math.floor(bound) + 1),
  ]
  return bounds.reduce((least, bound) => (bound === undefined ? least : Math.max(least ?? -Infinity, bound)), undefined)
}

function mostInteger(schema: Schema): number | undefined {
  const bounds = [
    finite(schema['maximum'], Math.floor),
    finite(schema['exclusiveMaximum'], (bound) => Math.ceil(bound) - 1),
  ]
  return bounds.reduce((most, bound) => (bound === undefined ? most : Math.min(most ?? Infinity, bound)), undefined)
}

function finite(value: unknown, round: (bound: number) => number): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? round(value) : undefined
}

function isBelow(least: unknown, most: unknown): boolean {
  return !(typeof least === 'number' && typeof most === 'number' && least > most)
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}

/** @throws IncipitError `invalid_request` naming `pointer` when the text is no JSON */
export function parseSchema(schemaJson: string, pointer: string): unknown {
  try {
    return JSON.parse(schemaJson)
  } catch (cause) {
    throw new IncipitError('invalid_request', `${pointer}: the schema is not valid JSON`, { param: pointer, cause })
  }
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** `undefined` where what stands behind a percent sign is no character. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
