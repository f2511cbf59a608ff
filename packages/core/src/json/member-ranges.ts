import type { Span } from '../domain/prompt.ts'
import type { JsonDocument, JsonNode } from './json-document.ts'

/**
 * The byte ranges of an object's members with the given names, each with the comma that goes with it:
 * taking them out leaves valid JSON. Ascending and disjoint; members that repeat a name are all among them.
 *
 * @example memberRanges(document, message, ['cache_control'])
 */
export function memberRanges(document: JsonDocument, object: JsonNode, names: readonly string[]): Span[] {
  // Most objects have none: ask without building lists.
  if (!document.hasAny(object, names)) return []
  const ranges: Span[] = []
  const members = document.members(object)
  let kept = false
  for (const [index, { key, value }] of members.entries()) {
    if (!names.includes(document.string(key))) {
      kept = true
      continue
    }
    // Behind a member that stays, the comma before goes; at the front, the comma after.
    const previous = members[index - 1]
    const following = members[index + 1]
    ranges.push({
      start: kept && previous !== undefined ? document.end(previous.value) : document.start(key),
      end: kept || following === undefined ? document.end(value) : document.start(following.key),
    })
  }
  return ranges
}
