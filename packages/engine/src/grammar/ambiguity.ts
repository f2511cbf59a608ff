import { isRecord } from './merge-schemas.ts'
import type { Schema } from './merge-schemas.ts'
import { parsePattern, sizeOf } from './pattern.ts'

/**
 * Most alternatives of a schema that may go on side by side. Each value inside one of them is followed once for each:
 * where alternatives that begin alike contain themselves, every level of nesting multiplies them.
 */
export const mostAlike = 32
const mostHops = 64
/** Characters of a pattern that weigh as much as one alternative. */
const patternWeight = 64

/** What the values of a schema begin with. */
type Shape = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'
const shapes: readonly Shape[] = ['object', 'array', 'string', 'number', 'boolean', 'null']

/**
 * How many alternatives of the parts of a schema cannot be told apart by how their values begin, at most, over all levels
 * of nesting; counted up to `mostAlike` + 1.
 *
 * @example new Ambiguity((target) => resolvePointer(document, target)).of(schema)
 */
export class Ambiguity {
  readonly #resolve: (target: string) => unknown
  readonly #references = new Map<string, number>()
  #isStable = true
  /** By depth: parts are shared, so that there are more ways to one than parts. */
  #known: Map<Schema, number>[] = []

  constructor(resolve: (target: string) => unknown) {
    this.#resolve = resolve
  }

  of(schema: unknown): number {
    this.#known = []
    let count = this.#count(schema, 0)
    // What refers to itself is counted again with what came out of it, until nothing grows any more.
    while (!this.#isStable) {
      this.#isStable = true
      for (const [target, before] of this.#references) {
        this.#known = []
        const now = this.#count(this.#resolve(target), 0)
        if (now <= before) continue
        this.#references.set(target, now)
        this.#isStable = false
      }
      this.#known = []
      count = this.#count(schema, 0)
    }
    return count
  }

  #count(schema: unknown, depth: number): number {
    if (!isRecord(schema) || depth > mostHops) return 1
    const known = (this.#known[depth] ??= new Map())
    const before = known.get(schema)
    if (before !== undefined) return before
    const count = this.#counted(schema, depth)
    known.set(schema, count)
    return count
  }

  #counted(schema: Schema, depth: number): number {
    const counts = [1]
    for (const [keyword, value] of Object.entries(schema)) counts.push(this.#keyword(schema, keyword, value, depth))
    // Parts that hold at once are made one, with the alternatives of each.
    const choices = ['anyOf', 'oneOf', 'allOf', '$ref'].filter((keyword) => keyword in schema).length
    return capped(choices > 1 ? counts.reduce((product, count) => product * count) : Math.max(...counts))
  }

  #keyword(schema: Schema, keyword: string, value: unknown, depth: number): number {
    switch (keyword) {
      case '$ref':
        return typeof value === 'string' ? this.#reference(value) : 1
      case 'anyOf':
      case 'oneOf':
        return Array.isArray(value) ? this.#choices(value, depth + 1) : 1
      case 'allOf':
        return Array.isArray(value)
          ? value.reduce<number>((product, part) => capped(product * this.#count(part, depth + 1)), 1)
          : 1
      case 'properties':
        return isRecord(value) ? this.#largest(Object.values(value), depth) : 1
      case 'prefixItems':
        return Array.isArray(value) ? this.#largest(value, depth) : 1
      case 'items':
        return this.#largest(Array.isArray(value) ? value : [value], depth)
      case 'additionalProperties':
        return this.#count(value, depth + 1)
      case 'pattern':
        return 'enum' in schema || 'const' in schema ? 1 : weightOf(value)
      default:
        return 1
    }
  }

  #largest(schemas: readonly unknown[], depth: number): number {
    return schemas.reduce<number>((most, schema) => Math.max(most, this.#count(schema, depth + 1)), 1)
  }

  #reference(target: string): number {
    const known = this.#references.get(target)
    if (known !== undefined) return known
    this.#references.set(target, 1)
    this.#isStable = false
    return 1
  }

  #choices(choices: readonly unknown[], depth: number): number {
    const alternatives = choices.map((choice) => {
      const meant = this.#meant(choice)
      return { firsts: this.#firsts(meant), shapes: shapesOf(meant), count: this.#count(choice, depth) }
    })
    let most = 1
    for (const shape of shapes) {
      const group = alternatives.filter((alternative) => alternative.shapes.includes(shape))
      const isNested = shape === 'object' || shape === 'array'
      for (const one of isNested ? group : group.slice(0, 1)) {
        let alike = isNested ? 0 : 1
        for (const other of group) {
          if (!isNested) alike += other.count - 1
          else if (one === other || shape === 'array' || !areApart(one.firsts, other.firsts)) alike += other.count
          if (alike > mostAlike) return mostAlike + 1
        }
        most = Math.max(most, alike)
      }
    }
    return most
  }

  #meant(schema: unknown): Schema {
    let meant = schema
    for (let hop = 0; hop < mostHops; hop++) {
      if (!isRecord(meant) || typeof meant['$ref'] !== 'string') break
      meant = this.#resolve(meant['$ref'])
    }
    return isRecord(meant) ? meant : {}
  }

  /** Members that an object may begin with, and the texts of their values where those are listed. */
  #firsts(schema: Schema): Firsts | undefined {
    const { properties, required, additionalProperties } = schema
    if (!isRecord(properties) || 'allOf' in schema || 'anyOf' in schema || 'oneOf' in schema) return undefined
    const firsts = new Map<string, readonly string[] | undefined>()
    for (const [name, property] of Object.entries(properties)) {
      firsts.set(name, literalsOf(this.#meant(property)))
      if (Array.isArray(required) && required.includes(name)) return firsts
    }
    return isRecord(additionalProperties) ? undefined : firsts
  }
}

type Firsts = ReadonlyMap<string, readonly string[] | undefined>

function areApart(left: Firsts | undefined, right: Firsts | undefined): boolean {
  if (left === undefined || right === undefined) return false
  for (const [name, values] of left) {
    if (!right.has(name)) continue
    const others = right.get(name)
    if (values === undefined || others === undefined || values.some((value) => others.includes(value))) return false
  }
  return true
}

function shapesOf(schema: Schema): readonly Shape[] {
  const listed = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const']] : undefined
  if (listed !== undefined) return [...new Set(listed.map(shapeOf))]
  const { type } = schema
  const types = Array.isArray(type) ? type : [type]
  const named = types.flatMap((one): Shape[] =>
    one === 'integer' ? ['number'] : shapes.filter((shape) => shape === one),
  )
  if (named.length > 0) return named
  if ('properties' in schema) return ['object']
  if ('items' in schema || 'prefixItems' in schema) return ['array']
  return shapes
}

function shapeOf(value: unknown): Shape {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return shapes.find((shape) => shape === typeof value) ?? 'object'
}

/** The texts of the values that a schema lists. */
export function literalsOf(schema: Schema): readonly string[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value) ?? '')
  return 'const' in schema ? [JSON.stringify(schema['const']) ?? ''] : undefined
}

function weightOf(pattern: unknown): number {
  if (typeof pattern !== 'string') return 1
  try {
    return Math.ceil(sizeOf(parsePattern(pattern)) / patternWeight)
  } catch {
    // It is left to the model, or refused.
    return 1
  }
}

function capped(count: number): number {
  return Math.min(count, mostAlike + 1)
}
