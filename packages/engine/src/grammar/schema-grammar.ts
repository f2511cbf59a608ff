import { IncipitError } from '@incipit/core'
import { Ambiguity, literalsOf, mostAlike } from './ambiguity.ts'
import { arrayBody } from './array-rules.ts'
import type { GrammarRules } from './gbnf.ts'
import { oneOf } from './gbnf.ts'
import type { JsonRules } from './json-rules.ts'
import { addJsonRules } from './json-rules.ts'
import { checkedKeywords, meets } from './keywords.ts'
import { emptyTrie } from './literal-trie.ts'
import { constrains, isRecord, mergeSchemas } from './merge-schemas.ts'
import type { Schema } from './merge-schemas.ts'
import { numberBody } from './number-rules.ts'
import { objectBody } from './object-rules.ts'
import { resolvePointer } from './resolve-pointer.ts'
import type { SchemaReader } from './schema-reader.ts'
import { stringBody } from './string-rules.ts'

/** How schemas are read. */
export interface SchemaOptions {
  /** Refuse what cannot be enforced; otherwise it is left to the model. */
  readonly strict: boolean
  /** Where the schema stands in the client's body, for errors. */
  readonly pointer: string
}

/** A schema that is larger is refused: its grammar is parsed while others wait. */
const most = { rules: 20_000, depth: 64, choices: 256, literals: 10_000 }

/** Keywords that constrain and that no grammar of ours enforces. */
const notEnforced = [
  'not',
  'if',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'contains',
  'uniqueItems',
  'unevaluatedItems',
  '$dynamicRef',
  '$recursiveRef',
] as const

/**
 * Turns a schema and what it refers to into rules for JSON texts it allows: members in the order of the schema, and
 * no others where it names any. Throws IncipitError `unsupported_feature` or `invalid_request` naming the pointer.
 *
 * @example grammarText((rules) => new SchemaRules(rules, parseSchema(json, pointer), options).root())
 */
export class SchemaRules implements SchemaReader {
  readonly rules: GrammarRules
  readonly json: JsonRules
  readonly #document: unknown
  readonly #options: SchemaOptions
  readonly #references = new Map<string, string>()
  readonly #rulesBefore: number
  readonly #ambiguity: Ambiguity

  constructor(rules: GrammarRules, document: unknown, options: SchemaOptions, json: JsonRules = addJsonRules(rules)) {
    this.rules = rules
    this.json = json
    this.#document = document
    this.#options = options
    this.#rulesBefore = rules.size
    this.#ambiguity = new Ambiguity((target) => resolvePointer(document, target))
  }

  root(): string {
    return this.#value(this.#document, '', 0)
  }

  nested(schema: unknown, pointer: string, depth: number): string {
    const body = this.#value(schema, pointer, depth + 1)
    return body.length > 40 ? this.rules.add(pointer.split('/').at(-1) ?? 'value', body) : body
  }

  checkSize(pointer: string): void {
    const count = this.rules.size - this.#rulesBefore
    if (count > most.rules) this.refuse(pointer, `the schema needs more than ${most.rules} rules`)
  }

  cannot(pointer: string, what: string): void {
    if (this.#options.strict) this.refuse(pointer, what)
  }

  refuse(pointer: string, what: string): never {
    const param = this.#options.pointer + pointer
    throw new IncipitError('unsupported_feature', `${param}: ${what}`, { param })
  }

  invalid(pointer: string, what: string): never {
    const param = this.#options.pointer + pointer
    throw new IncipitError('invalid_request', `${param}: ${what}`, { param })
  }

  #value(schema: unknown, pointer: string, depth: number): string {
    if (depth > most.depth) this.refuse(pointer, `schemas nest deeper than ${most.depth} levels`)
    this.checkSize(pointer)
    if (schema === true) return this.json.value
    if (!isRecord(schema)) return this.invalid(pointer, 'a schema is an object or true')
    this.#checkKeywords(schema, pointer)
    if (typeof schema['$ref'] === 'string') return this.#referring(schema, schema['$ref'], pointer, depth)
    if (Array.isArray(schema['allOf'])) return this.#all(schema, schema['allOf'], pointer, depth)
    if (Array.isArray(schema['enum'])) return this.#literals(schema['enum'], schema, pointer)
    if ('const' in schema) return this.#literals([schema['const']], schema, pointer)
    for (const name of ['anyOf', 'oneOf'] as const) {
      const choices = schema[name]
      if (Array.isArray(choices)) return this.#choices(schema, name, choices, pointer, depth)
    }
    return this.#typed(schema, pointer, depth)
  }

  #typed(schema: Schema, pointer: string, depth: number): string {
    const { type } = schema
    if (Array.isArray(type)) {
      if (type.length === 0) this.invalid(`${pointer}/type`, 'at least one type is needed')
      return oneOf(type.map((one: unknown) => this.#typed({ ...schema, type: one }, pointer, depth)))
    }
    switch (type) {
      case 'object':
        return objectBody(this, schema, pointer, depth)
      case 'array':
        return arrayBody(this, schema, pointer, depth)
      case 'string':
        return stringBody(this, schema, pointer)
      case 'integer':
      case 'number':
        return numberBody(this, schema, pointer)
      case 'boolean':
        return this.json.boolean
      case 'null':
        return '"null"'
      case undefined:
        return this.#typed({ ...schema, type: impliedTypes(schema) }, pointer, depth)
      case 'any':
        return this.json.value
      default:
        return this.invalid(`${pointer}/type`, `there is no type ${JSON.stringify(type)}`)
    }
  }

  #choices(
    schema: Schema,
    name: 'anyOf' | 'oneOf',
    choices: readonly unknown[],
    pointer: string,
    depth: number,
  ): string {
    const at = `${pointer}/${name}`
    const possible = choices.filter((choice) => choice !== false)
    if (possible.length === 0) this.invalid(at, 'at least one schema is needed')
    if (choices.length > most.choices)
      this.refuse(at, `there are ${choices.length} alternatives, ${most.choices} allowed`)
    if (name === 'oneOf' && !areDisjoint(possible.map((choice) => this.#meant(choice, at))))
      this.cannot(at, 'nothing tells the alternatives apart: of several that match, the schema allows none; use anyOf')
    if (possible.length > 1 && this.#ambiguity.of(schema) > mostAlike) return this.#tooAlike(at)
    const { [name]: _, ...beside } = schema
    const isAlone = !constrains(beside, [])
    return oneOf(
      possible.map((choice, index) => {
        const whole = isAlone || choice === true ? choice : { allOf: [beside, choice] }
        return this.nested(choice === true && !isAlone ? beside : whole, `${at}/${index}`, depth)
      }),
    )
  }

  /** Each token would be followed in more and more ways. */
  #tooAlike(pointer: string): string {
    const what = `more than ${mostAlike} alternatives may begin alike, those that contain each other included`
    this.cannot(pointer, `${what}; begin each with a required member that has a value of its own`)
    return this.json.value
  }

  #literals(values: readonly unknown[], schema: Schema, pointer: string): string {
    const fitting = values.filter((value) => meets(value, schema))
    if (fitting.length === 0)
      this.invalid(pointer, 'an enum needs at least one value that the rest of its schema allows')
    if (fitting.length > most.literals)
      this.refuse(pointer, `an enum has ${fitting.length} values, ${most.literals} allowed`)
    if (constrains(schema, ['enum', 'const', ...checkedKeywords]))
      this.cannot(pointer, 'an enum stands beside other constraints')
    const trie = fitting.reduce<typeof emptyTrie>(
      (all, value) => all.with(JSON.stringify(value) ?? 'null', ''),
      emptyTrie,
    )
    return trie.body(this.rules)
  }

  #referring(schema: Schema, target: string, pointer: string, depth: number): string {
    const { $ref: _, ...beside } = schema
    if (!constrains(beside, [])) return this.#reference(target, pointer, depth)
    return this.#all(schema, [{ $ref: target }, beside], pointer, depth)
  }

  #reference(target: string, pointer: string, depth: number): string {
    const known = this.#references.get(target)
    if (known !== undefined) return known
    const schema = this.#resolve(target, pointer)
    const name = this.rules.reserve(`ref-${target.split('/').at(-1) ?? ''}`)
    this.#references.set(target, name)
    this.rules.set(name, this.#value(schema, target.slice(1), depth + 1))
    return name
  }

  #resolve(target: string, pointer: string): unknown {
    if (!target.startsWith('#')) this.refuse(`${pointer}/$ref`, 'only references within the schema are supported')
    return resolvePointer(this.#document, target) ?? this.invalid(`${pointer}/$ref`, `there is no ${target}`)
  }

  /** A part as it stands where its reference points. */
  #meant(part: unknown, pointer: string, hops = 0): Schema {
    if (part === true) return {}
    if (!isRecord(part)) return this.invalid(pointer, 'a schema is an object')
    if (typeof part['$ref'] !== 'string') return part
    if (hops > most.depth) this.refuse(pointer, `references lead on more than ${most.depth} times`)
    const { $ref: target, ...beside } = part
    const meant = this.#meant(this.#resolve(target, pointer), pointer, hops + 1)
    return constrains(beside, []) ? { allOf: [meant, beside] } : meant
  }

  /** What all of several schemas ask for, as one. */
  #all(schema: Schema, parts: readonly unknown[], pointer: string, depth: number): string {
    const { allOf: _, $ref: __, ...own } = schema
    if (parts.length > most.choices)
      this.refuse(`${pointer}/allOf`, `there are ${parts.length} parts, ${most.choices} allowed`)
    const meant = parts.map((part) => this.#meant(part, `${pointer}/allOf`))
    const { schema: merged, lost } = mergeSchemas(parts.includes(own) ? meant : [...meant, own])
    if (lost.length > 0) this.cannot(`${pointer}/allOf`, `its parts say different things of ${lost.join(', ')}`)
    return this.#value(merged, pointer, depth + 1)
  }

  #checkKeywords(schema: Schema, pointer: string): void {
    for (const keyword of notEnforced) {
      const value = schema[keyword]
      if (value === undefined || value === false || value === 0) continue
      this.cannot(`${pointer}/${keyword}`, `"${keyword}" cannot be enforced; leave it out, or strict`)
    }
  }
}

/** The types that keywords without `type` speak of: where they are of one, values of others are left out. */
function impliedTypes(schema: Schema): string {
  const implied = Object.entries(keywordsOfTypes).find(([, keywords]) => keywords.some((keyword) => keyword in schema))
  return implied?.[0] ?? 'any'
}

const keywordsOfTypes = {
  object: ['properties', 'additionalProperties', 'required'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['pattern', 'format', 'minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
} as const

/** Whether no value can be of two of the schemas: by type, or by a required member with values of its own in each. */
function areDisjoint(schemas: readonly Schema[]): boolean {
  if (schemas.length < 2) return true
  const types = schemas.flatMap(({ type, enum: values, ...schema }) =>
    type === undefined ? [Array.isArray(values) || 'const' in schema ? 'literal' : 'unknown'] : type,
  ) as unknown[]
  const isNumber = (type: unknown): boolean => type === 'number' || type === 'integer'
  const distinct = new Set(types.map((type) => (isNumber(type) ? 'number' : type)))
  if (!types.includes('unknown') && !types.includes('literal') && distinct.size === types.length) return true
  const literals = schemas.map((schema) => literalsOf(schema))
  if (areDistinct(literals)) return true
  const names = Object.keys(isRecord(schemas[0]?.['properties']) ? schemas[0]['properties'] : {})
  return names.some((name) =>
    areDistinct(
      schemas.map(({ properties, required }) => {
        const member = isRecord(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
        return Array.isArray(required) && required.includes(name) && isRecord(member) ? literalsOf(member) : undefined
      }),
    ),
  )
}

function areDistinct(lists: readonly (readonly string[] | undefined)[]): boolean {
  const all = lists.flatMap((list) => (list === undefined ? [undefined] : [...new Set(list)]))
  return !all.includes(undefined) && new Set(all).size === all.length
}

/** @throws IncipitError `invalid_request` naming `pointer` when the text is no JSON */
export function parseSchema(schemaJson: string, pointer: string): unknown {
  try {
    return JSON.parse(schemaJson)
  } catch (cause) {
    throw new IncipitError('invalid_request', `${pointer}: the schema is not valid JSON`, { param: pointer, cause })
  }
}
