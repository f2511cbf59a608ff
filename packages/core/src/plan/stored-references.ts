import { bodyOf } from '../dialects/shared/scanned.ts'
import type { Prompt } from '../domain/prompt.ts'
import type { JsonDocument, JsonNode } from '../json/json-document.ts'

/** Things at the provider that a body refers to instead of holding them. */
export interface StoredReferences {
  /** Answers to go on from. Of a member that is repeated all values: not every parser takes the last one. */
  readonly previousResponseIds: readonly string[]
  /** It goes on a conversation that is stored there. */
  readonly conversation: boolean
  /** It holds references to items of stored answers. */
  readonly items: boolean
}

const none: StoredReferences = { previousResponseIds: [], conversation: false, items: false }

/**
 * What a Responses body refers to: whoever sends it reads what is stored there.
 * @example storedReferences(prompt).previousResponseIds // ['resp_...']
 */
export function storedReferences(prompt: Prompt): StoredReferences {
  if (prompt.dialect !== 'openai-responses') return none
  const { document } = bodyOf(prompt)
  return {
    previousResponseIds: valuesOf(document, 0, 'previous_response_id').flatMap((node) =>
      document.kind(node) === 'string' ? [document.string(node)] : [],
    ),
    conversation: valuesOf(document, 0, 'conversation').length > 0,
    items: valuesOf(document, 0, 'input').some((input) =>
      document.elements(input).some((item) => isReference(document, item)),
    ),
  }
}

/** References may leave out their type: an id and no role is one. */
function isReference(document: JsonDocument, item: JsonNode): boolean {
  const types = valuesOf(document, item, 'type')
  if (types.length === 0) {
    return document.find(item, 'id') !== undefined && document.find(item, 'role') === undefined
  }
  return types.some((type) => document.kind(type) === 'string' && document.isText(type, 'item_reference'))
}

/** All values but null of members of a name. */
function valuesOf(document: JsonDocument, object: JsonNode, name: string): JsonNode[] {
  if (document.find(object, name) === undefined) return []
  return document
    .members(object)
    .filter(({ key, value }) => document.isText(key, name) && document.kind(value) !== 'null')
    .map(({ value }) => value)
}
