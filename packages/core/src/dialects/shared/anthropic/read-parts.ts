import type { CacheMark } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import type { JsonMember } from '../../../json/json-document.ts'
import { Field } from '../field.ts'
import { unmarkedText } from './unmarked-text.ts'

/** @throws IncipitError when it is no mark of this API */
export function readMark(holder: Field): CacheMark | undefined {
  const mark = holder.find('cache_control')?.object()
  if (mark === undefined) return undefined
  mark.get('type').oneOf(['ephemeral'])
  return { ttl: mark.find('ttl')?.oneOf(['5m', '1h']) }
}

/** The client's bytes of a block or tool, marks apart. */
export function rawWithoutMarks({ document, node }: Field): string {
  return unmarkedText(document, node)
}

/** Members that are set and not among `known`, each name once: the last of a repeated name, as in `JSON.parse`. */
export function otherMembers(holder: Field, known: readonly string[]): { name: string; field: Field }[] {
  const { document } = holder
  const found = new Map<string, Field>()
  for (const { key, value } of document.members(holder.node)) {
    if (known.some((name) => document.isText(key, name))) continue
    const name = document.string(key)
    const pointer = `${holder.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    found.set(name, new Field(document, value, pointer))
  }
  return [...found].filter(([, field]) => field.kind !== 'null').map(([name, field]) => ({ name, field }))
}

/** Warns of members that no `Conversation` has a place for. */
export function warnOfOthers(holder: Field, known: readonly string[], warnings: Warning[]): void {
  const { document } = holder
  const isKnown = ({ key }: JsonMember): boolean => known.some((name) => document.isText(key, name))
  if (document.members(holder.node).every(isKnown)) return
  for (const { field } of otherMembers(holder, known)) {
    warnings.push({ code: 'field_not_carried', where: field.pointer, detail: 'only this dialect has it' })
  }
}
