import type { Hasher } from '../../domain/hasher.ts'
import { frame, toHex } from '../../domain/hasher.ts'
import type { Attachment } from '../../domain/prompt.ts'
import { Field } from './field.ts'

/**
 * The text that stands in a prompt for content that is not text: equal bytes give equal text, and one
 * differing byte gives another, so that attachments take part in the exact match (P-10). Plain
 * brackets, because no tokenizer reads those as a special token.
 *
 * @example attachmentMarker('image', part.get('image_url'), hasher) // '[attachment:image:9f86d08...]'
 */
export function attachmentMarker(kind: Attachment['kind'], content: Field, hasher: Hasher): string {
  const digest = hasher.sha256(frame(['incipit/attachment/1', kind, ...contentFields(content)]))
  return `[attachment:${kind}:${toHex(digest.subarray(0, 16))}]`
}

/** Names and values, by name: neither the order of members nor the way a string is escaped changes what is attached. */
function contentFields(content: Field): string[] {
  if (content.kind !== 'object') return [textOf(content)]
  const { document } = content
  const members = document
    .members(content.node)
    .map(({ key, value }) => [document.string(key), textOf(new Field(document, value, content.pointer))] as const)
  return members.sort(([a], [b]) => (a < b ? -1 : 1)).flat()
}

function textOf(field: Field): string {
  return field.kind === 'string' ? field.string() : field.raw
}
