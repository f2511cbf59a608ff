import type { ExtraField } from '../../domain/conversation.ts'
import type { Warning } from '../../domain/warning.ts'
import { Field } from './field.ts'

/**
 * A warning for each member of an object that is neither null nor among `known`: reading leaves it out.
 * @example leftOver(message, ['role', 'content'])
 */
export function leftOver(object: Field, known: ReadonlySet<string>): Warning[] {
  return unknownMembers(object, known).map(({ pointer }) => ({
    code: 'field_not_carried',
    where: pointer,
    detail: 'this member has no counterpart outside its dialect',
  }))
}

/**
 * Top-level members that are neither null nor among `known`, as the client wrote them.
 * @example extraFields(root, new Set(['model', 'messages']))
 */
export function extraFields(root: Field, known: ReadonlySet<string>): ExtraField[] {
  return unknownMembers(root, known).map(({ name, pointer, field }) => ({ name, pointer, json: field.raw }))
}

interface UnknownMember {
  readonly name: string
  readonly pointer: string
  readonly field: Field
}

function unknownMembers(object: Field, known: ReadonlySet<string>): UnknownMember[] {
  const { document, node } = object
  // By name, so that of members that repeat only the last counts, as everywhere else.
  const found = new Map<string, UnknownMember>()
  for (const { key, value } of document.members(node)) {
    const name = document.string(key)
    if (known.has(name)) continue
    const pointer = `${object.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    found.set(name, { name, pointer, field: new Field(document, value, pointer) })
  }
  return [...found.values()].filter(({ field }) => field.kind !== 'null')
}
