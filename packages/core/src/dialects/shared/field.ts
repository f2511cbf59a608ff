import { IncipitError } from '../../domain/errors.ts'
import type { Span } from '../../domain/prompt.ts'
import type { JsonKind } from '../../json/decode.ts'
import type { JsonDocument, JsonNode } from '../../json/json-document.ts'

/** Both ends are allowed. */
export interface Range {
  readonly min: number
  readonly max: number
}

const nouns: Readonly<Record<JsonKind, string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  number: 'a number',
  boolean: 'a boolean',
  null: 'null',
}

/** Raw numbers longer than this are cut in messages. */
const longestNumber = 24

/**
 * A value of a request body that knows its JSON pointer, and reads itself with errors that name the
 * pointer, what stands there and what may. Text of clients never enters a message; numbers do.
 *
 * @example Field.root(document).find('temperature')?.number({ min: 0, max: 2 })
 */
export class Field {
  readonly document: JsonDocument
  readonly node: JsonNode
  readonly pointer: string
  /** Members of the root by name: many are asked for, of an object that may have any number. */
  #index: ReadonlyMap<string, JsonNode> | undefined

  constructor(document: JsonDocument, node: JsonNode, pointer: string) {
    this.document = document
    this.node = node
    this.pointer = pointer
  }

  /** @throws IncipitError when the body is no object */
  static root(document: JsonDocument): Field {
    return new Field(document, 0, '').object()
  }

  get kind(): JsonKind {
    return this.document.kind(this.node)
  }

  get span(): Span {
    return this.document.span(this.node)
  }

  /** The client's own bytes, as text. */
  get raw(): string {
    return this.document.raw(this.node)
  }

  /** A member; `undefined` when absent or null, which all dialects take as absent. */
  find(name: string): Field | undefined {
    const node = this.node === 0 ? this.#rootMember(name) : this.document.find(this.node, name)
    if (node === undefined || this.document.kind(node) === 'null') return undefined
    return new Field(this.document, node, `${this.pointer}/${name}`)
  }

  /** @throws IncipitError `missing_field` */
  get(name: string): Field {
    const field = this.find(name)
    if (field !== undefined) return field
    const param = `${this.pointer}/${name}`
    throw new IncipitError('missing_field', `${param} is missing or null`, { param })
  }

  object(): this {
    return this.kind === 'object' ? this : this.fail('an object')
  }

  elements(): Field[] {
    if (this.kind !== 'array') this.fail('an array')
    return this.document
      .elements(this.node)
      .map((node, index) => new Field(this.document, node, `${this.pointer}/${index}`))
  }

  /** `usual`: values that are recognised without decoding. */
  string(usual: readonly string[] = []): string {
    if (this.kind !== 'string') return this.fail('a string')
    return usual.find((text) => this.document.isText(this.node, text)) ?? this.document.string(this.node)
  }

  boolean(): boolean {
    return this.kind === 'boolean' ? this.document.value(this.node) === true : this.fail('a boolean')
  }

  number(range: Range): number {
    const expected = `a number from ${range.min} to ${range.max}`
    const value = this.kind === 'number' ? Number(this.raw) : this.fail(expected)
    return value >= range.min && value <= range.max ? value : this.fail(expected)
  }

  integer(range: Range): number {
    const expected = `an integer from ${range.min} to ${range.max}`
    const value = this.kind === 'number' ? Number(this.raw) : this.fail(expected)
    return Number.isInteger(value) && value >= range.min && value <= range.max ? value : this.fail(expected)
  }

  oneOf<const T extends string>(allowed: readonly T[]): T {
    const expected = `one of ${allowed.join(', ')}`
    if (this.kind !== 'string') return this.fail(expected)
    return allowed.find((text) => this.document.isText(this.node, text)) ?? this.fail(expected)
  }

  /** @throws IncipitError always: `invalid_request` with what stands here and what may */
  fail(expected: string): never {
    const seen = this.kind === 'number' ? this.raw.slice(0, longestNumber) : nouns[this.kind]
    const place = this.pointer === '' ? 'the body' : this.pointer
    throw new IncipitError('invalid_request', `${place} is ${seen}, expected ${expected}`, { param: this.pointer })
  }

  /** @throws IncipitError always: `unsupported_feature` */
  unsupported(what: string): never {
    throw new IncipitError('unsupported_feature', `${this.pointer}: ${what}`, { param: this.pointer })
  }

  #rootMember(name: string): JsonNode | undefined {
    this.#index ??= indexOf(this.document)
    return this.#index.get(name)
  }
}

function indexOf(document: JsonDocument): ReadonlyMap<string, JsonNode> {
  const index = new Map<string, JsonNode>()
  for (const { key, value } of document.members(0)) index.set(document.string(key), value)
  return index
}
