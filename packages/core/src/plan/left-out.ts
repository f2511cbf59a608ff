import type { Span } from '../domain/prompt.ts'
import type { JsonDocument, JsonNode } from '../json/json-document.ts'
import { memberRanges } from '../json/member-ranges.ts'

/** Members that one edit or another may take out of an object; on the body itself, its own too. */
const ofBlocks: readonly LeftOutName[] = ['cache_control', 'incipit']
const ofBody: readonly LeftOutName[] = [...ofBlocks, 'prompt_cache_isolation_key']

/** A member that an edit may take out. */
export type LeftOutName = 'cache_control' | 'incipit' | 'prompt_cache_isolation_key'

/**
 * The ranges of an object's members of a name, each with the comma that goes with it. Edits that take out one name
 * each do not get into each other's way: commas are shared out as if all of them went.
 */
export function leftOutRanges(document: JsonDocument, object: JsonNode, name: LeftOutName): Span[] {
  if (document.find(object, name) === undefined) return []
  const names: readonly string[] = object === 0 ? ofBody : ofBlocks
  const present = document.members(object).map(({ key }) => document.string(key))
  const goes = present.filter((member) => names.includes(member))
  // Where nothing would be left, a member that stays must not keep the comma of one that goes.
  if (goes.length === present.length) return memberRanges(document, object, [name])
  return memberRanges(document, object, names).filter((_, index) => goes[index] === name)
}
