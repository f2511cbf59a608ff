import type { JsonDocument } from '../../../json/json-document.ts'
import { scanJson } from '../../../json/scan-json.ts'
import { jsonObject, jsonText } from '../write-json.ts'

/** Tool arguments as this API takes them. */
export interface ToolInput {
  /** A JSON object. */
  readonly json: string
  /** The arguments were no JSON object: they stand as text in one. */
  readonly wrapped: boolean
}

/**
 * Arguments of a tool call, as they were written where they are a JSON object: another order of keys or another
 * space would be another prefix (D-9).
 *
 * @example toolInput('{"b":1, "a":2}').json // '{"b":1, "a":2}'
 */
export function toolInput(text: string): ToolInput {
  if (scanObject(text) !== undefined) return { json: text.trim(), wrapped: false }
  return { json: text.trim() === '' ? '{}' : jsonObject([['arguments', jsonText(text)]]), wrapped: true }
}

/** The JSON object that a text is; `undefined` where it is none, or no JSON. */
export function scanObject(text: string): JsonDocument | undefined {
  try {
    const document = scanJson(new TextEncoder().encode(text))
    return document.kind(0) === 'object' ? document : undefined
  } catch {
    return undefined
  }
}
