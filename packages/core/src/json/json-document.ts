import type { Span } from '../domain/prompt.ts'
import type { JsonKind } from './decode.ts'
import { decodeString, jsonKind, parseValue, rawText } from './decode.ts'

/** A value of a `JsonDocument`: an index into its tape. The root is node 0. */
export type JsonNode = number

/** One member of an object; `key` is the string node of its name. */
export interface JsonMember {
  readonly key: JsonNode
  readonly value: JsonNode
}

/**
 * A scanned JSON text: its bytes, and a tape that says where each value stands. Nothing is decoded
 * until asked for. Made by `scanJson`.
 *
 * @example document.elements(document.find(0, 'messages') ?? 0).map((node) => document.span(node))
 */
export class JsonDocument {
  readonly bytes: Uint8Array
  readonly #tape: Int32Array

  /** `tape`: three integers per value, [start, end, following tape index]; see `scanJson`. */
  constructor(bytes: Uint8Array, tape: Int32Array) {
    this.bytes = bytes
    this.#tape = tape
  }

  kind(node: JsonNode): JsonKind {
    return jsonKind(this.bytes, this.start(node))
  }

  start(node: JsonNode): number {
    return this.#at(node)
  }

  end(node: JsonNode): number {
    return this.#at(node + 1)
  }

  span(node: JsonNode): Span {
    return { start: this.start(node), end: this.end(node) }
  }

  /** Element nodes of an array in order; none for any other kind. */
  elements(array: JsonNode): JsonNode[] {
    return this.kind(array) === 'array' ? this.#children(array) : []
  }

  /** Members of an object in order, duplicates included; none for any other kind. */
  members(object: JsonNode): JsonMember[] {
    const members: JsonMember[] = []
    if (this.kind(object) !== 'object') return members
    const children = this.#children(object)
    for (let i = 0; i + 1 < children.length; i += 2) members.push({ key: children[i]!, value: children[i + 1]! })
    return members
  }

  /** The value of a member, the last one where names repeat (as in `JSON.parse`); linear in the members. */
  find(object: JsonNode, name: string): JsonNode | undefined {
    let found: JsonNode | undefined
    if (this.kind(object) !== 'object') return found
    const end = this.#at(object + 2)
    for (let key = object + 3; key < end; key = this.#at(key + 5)) {
      if (this.#mayBe(key, name) && this.isText(key, name)) found = key + 3
    }
    return found
  }

  /** Whether an object has a member with any of the names; `false` for any other kind. */
  hasAny(object: JsonNode, names: readonly string[]): boolean {
    if (this.kind(object) !== 'object') return false
    const end = this.#at(object + 2)
    for (let key = object + 3; key < end; key = this.#at(key + 5)) {
      for (const name of names) if (this.#mayBe(key, name) && this.isText(key, name)) return true
    }
    return false
  }

  /**
   * The value a JSON pointer (RFC 6901) leads to.
   * @example document.at('/messages/3/content')
   */
  at(pointer: string): JsonNode | undefined {
    if (pointer === '') return 0
    if (!pointer.startsWith('/')) return undefined
    let node: JsonNode | undefined = 0
    for (const token of pointer.slice(1).split('/')) {
      if (node === undefined) return undefined
      node = this.#step(node, token.replaceAll('~1', '/').replaceAll('~0', '~'))
    }
    return node
  }

  /** The decoded text of a string node. @throws RangeError on any other kind */
  string(node: JsonNode): string {
    return decodeString(this.bytes, this.span(node))
  }

  /** Whether a string node means `text`; decodes nothing unless it holds escapes or non-ASCII text. */
  isText(node: JsonNode, text: string): boolean {
    const start = this.start(node) + 1
    const length = this.end(node) - 1 - start
    for (let i = 0; i < length; i++) {
      const byte = this.bytes[start + i]!
      if (byte === 0x5c || byte >= 0x80) return this.string(node) === text
      if (byte !== text.charCodeAt(i)) return false
    }
    return length === text.length
  }

  /** The value parsed, and nothing else of the document. */
  value(node: JsonNode): unknown {
    return parseValue(this.bytes, this.span(node))
  }

  /** The client's own bytes of the value, as text. */
  raw(node: JsonNode): string {
    return rawText(this.bytes, this.span(node))
  }

  /** The first byte of most names tells that they are not the one looked for. */
  #mayBe(key: JsonNode, name: string): boolean {
    const first = this.bytes[this.#at(key) + 1]!
    return first === name.charCodeAt(0) || first === 0x5c || first >= 0x80 || name === ''
  }

  #children(container: JsonNode): JsonNode[] {
    const children: JsonNode[] = []
    const end = this.#at(container + 2)
    for (let node = container + 3; node < end; node = this.#at(node + 2)) children.push(node)
    return children
  }

  #step(node: JsonNode, token: string): JsonNode | undefined {
    if (this.kind(node) === 'object') return this.find(node, token)
    if (!/^(?:0|[1-9]\d*)$/.test(token)) return undefined
    return this.elements(node)[Number(token)]
  }

  #at(index: number): number {
    const value = this.#tape[index]
    if (value === undefined) throw new RangeError(`no JSON value ${index} on a tape of ${this.#tape.length}`)
    return value
  }
}
