import { characterIn, contains, plainCharacters, without } from './character-set.ts'
import type { PointRange } from './character-set.ts'
import { oneOf } from './gbnf.ts'
import type { GrammarRules } from './gbnf.ts'
import { emptyTrie } from './literal-trie.ts'
import type { LiteralTrie } from './literal-trie.ts'
import { isRecord } from './merge-schemas.ts'
import type { Schema } from './merge-schemas.ts'
import type { SchemaReader } from './schema-reader.ts'

/** Characters of member names that other members must not have, in one object. */
const mostNameCharacters = 2_000

/** A member of an object, in the order of the schema. */
interface Member {
  readonly name: string
  /** GBNF of its value. */
  readonly value: string
  readonly isRequired: boolean
}

/** GBNF for objects of a schema: members in its order, others behind them where it describes them. */
export function objectBody(reader: SchemaReader, schema: Schema, pointer: string, depth: number): string {
  const { rules, json } = reader
  const additional = schema['additionalProperties']
  const members = membersOf(reader, schema, pointer, depth)
  if (members.length === 0 && additional === false) return '"{}"'
  if (members.length === 0 && !isRecord(additional)) return json.object
  const other = isRecord(additional) ? otherMember(reader, additional, { members, pointer, depth }) : undefined
  const more = other === undefined ? undefined : rules.add('more', `${other} ("," space ${other})*`)
  // From the last one on: what may follow a member is known before it.
  let next: LiteralTrie = emptyTrie
  let mayEnd = true
  for (const { name, value, isRequired } of members.toReversed()) {
    reader.checkSize(pointer)
    const rest = rules.add('rest', oneOf(following(rules, next, mayEnd, more, '"," space ')))
    next = (isRequired ? emptyTrie : next).with(`${JSON.stringify(name)}:`, `space ${value} ${rest}`)
    mayEnd &&= !isRequired
  }
  return rules.add('object', `"{" ${oneOf(following(rules, next, mayEnd, more, ''))} "}"`)
}

/** What may come next: a member of the schema, another one, or the end. */
function following(
  ...[rules, next, mayEnd, more, comma]: [GrammarRules, LiteralTrie, boolean, string | undefined, string]
): string[] {
  return [
    ...(next.isEmpty ? [] : [`${comma}${next.body(rules)}`]),
    ...(mayEnd && more !== undefined ? [`${comma}${more}`] : []),
    ...(mayEnd ? ['""'] : []),
  ]
}

function membersOf(reader: SchemaReader, schema: Schema, pointer: string, depth: number): Member[] {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {}
  const listed = Array.isArray(schema['required']) ? schema['required'] : []
  const required = new Set(listed.filter((name) => typeof name === 'string'))
  const additional = schema['additionalProperties']
  const members: Member[] = []
  for (const [name, property] of Object.entries(properties)) {
    const at = `${pointer}/properties/${escapePointer(name)}`
    const isRequired = required.delete(name)
    if (property === false && isRequired) reader.invalid(at, 'a required member cannot have any value')
    if (property !== false) members.push({ name, value: reader.nested(property, at, depth), isRequired })
  }
  for (const name of required) {
    const at = `${pointer}/required`
    if (additional === false) reader.invalid(at, `${JSON.stringify(name)} is required, and no such member is allowed`)
    const value = reader.nested(isRecord(additional) ? additional : true, `${pointer}/additionalProperties`, depth)
    members.push({ name, value, isRequired: true })
  }
  return members
}

function otherMember(
  reader: SchemaReader,
  additional: Schema,
  {
    members,
    pointer,
    depth,
  }: { readonly members: readonly Member[]; readonly pointer: string; readonly depth: number },
): string {
  const { rules, json } = reader
  const value = reader.nested(additional, `${pointer}/additionalProperties`, depth)
  const names = members.map(({ name }) => name)
  const characters = names.reduce((sum, { length }) => sum + length, 0)
  const tooMany = characters > mostNameCharacters
  if (tooMany)
    reader.cannot(pointer, `${characters} characters of names beside additional members, ${mostNameCharacters} allowed`)
  const name = names.length === 0 || tooMany ? json.string : otherString(rules, names)
  return rules.add('member', `${name} ":" space ${value}`)
}

interface NameNode {
  isName: boolean
  readonly next: Map<string, NameNode>
}

/** GBNF for strings that are none of these; what they have in common with one of them is written without escapes. */
function otherString(rules: GrammarRules, names: readonly string[]): string {
  const root: NameNode = { isName: false, next: new Map() }
  for (const name of names) {
    let node = root
    for (const character of name) {
      let next = node.next.get(character)
      if (next === undefined) node.next.set(character, (next = { isName: false, next: new Map() }))
      node = next
    }
    node.isName = true
  }
  return rules.add('other', `"\\"" ${otherRest(rules, root)}`)
}

function otherRest(rules: GrammarRules, start: NameNode): string {
  const visit = (node: NameNode): string => {
    const differs = characterIn(without(plainCharacters, [...node.next.keys()].map(pointOf)))
    const alternatives = differs === undefined ? [] : [`${differs} character* "\\""`]
    for (const [character, next] of node.next) {
      const point = pointOf(character)
      const same = contains(plainCharacters, point[0]) ? characterIn([point]) : undefined
      if (same !== undefined) alternatives.push(`${same} ${rules.add('other', visit(next))}`)
    }
    if (!node.isName) alternatives.push('"\\""')
    return oneOf(alternatives)
  }
  return visit(start)
}

function pointOf(character: string): PointRange {
  const point = character.codePointAt(0) ?? 0
  return [point, point]
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
