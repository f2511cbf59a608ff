import type { Span } from '../domain/prompt.ts'

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The kind of the value that begins at `start` of valid JSON, told by its first byte.
 * @example jsonKind(body, span.start)
 */
export function jsonKind(bytes: Uint8Array, start: number): JsonKind {
  const first = bytes[start] ?? 0
  switch (first) {
    case 0x7b:
      return 'object'
    case 0x5b:
      return 'array'
    case 0x22:
      return 'string'
    case 0x74:
    case 0x66:
      return 'boolean'
    case 0x6e:
      return 'null'
    default:
      return 'number'
  }
}

/**
 * The text of a span as it stands: raw JSON, escapes included.
 * @example rawText(body, span) // '"auto"'
 */
export function rawText(bytes: Uint8Array, span: Span): string {
  if (isShort(span)) {
    let text = ''
    for (let i = span.start; i < span.end; i++) {
      const byte = bytes[i] ?? 0
      if (byte >= 0x80) return decoder.decode(bytes.subarray(span.start, span.end))
      text += String.fromCharCode(byte)
    }
    return text
  }
  return decoder.decode(bytes.subarray(span.start, span.end))
}

/**
 * The string that a scanned JSON string means; `span` includes the quotes.
 * @throws RangeError when the span is not a JSON string
 * @example decodeString(body, span)
 */
export function decodeString(bytes: Uint8Array, span: Span): string {
  if (bytes[span.start] !== 0x22) throw new RangeError(`no JSON string at byte ${span.start}`)
  const inner = { start: span.start + 1, end: span.end - 1 }
  return hasEscape(bytes, inner) ? (JSON.parse(rawText(bytes, span)) as string) : rawText(bytes, inner)
}

/**
 * `JSON.parse` of one scanned value only.
 * @example parseValue(body, span)
 */
export function parseValue(bytes: Uint8Array, span: Span): unknown {
  return JSON.parse(rawText(bytes, span))
}

/** A native call costs more than a short text: those are gone through by hand. */
function isShort(span: Span): boolean {
  return span.end - span.start <= 24
}

/** Looks within the span only: to search on to the end of the body for each string would be quadratic. */
function hasEscape(bytes: Uint8Array, span: Span): boolean {
  if (!isShort(span)) return bytes.subarray(span.start, span.end).includes(0x5c)
  for (let i = span.start; i < span.end; i++) {
    if (bytes[i] === 0x5c) return true
  }
  return false
}
