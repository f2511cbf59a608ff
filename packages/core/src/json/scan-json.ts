import { JsonDocument } from './json-document.ts'
import { wasmTape } from './wasm/wasm-tape.ts'
import { writeTape } from './write-tape.ts'

export interface ScanLimits {
  /** Levels of arrays and objects, 128 by default. */
  readonly maxDepth?: number
}

const defaultMaxDepth = 128

/**
 * Validates a JSON text (RFC 8259, one value, no byte order mark) in one pass over its bytes and
 * notes where every value begins and ends. Accepts exactly what `JSON.parse` accepts, up to the depth
 * allowed; builds no strings and no objects.
 *
 * @throws IncipitError `invalid_json` and `invalid_utf8` with the byte position, `too_deep`
 * @example scanJson(body).find(0, 'messages')
 */
export function scanJson(bytes: Uint8Array, limits: ScanLimits = {}): JsonDocument {
  const maxDepth = limits.maxDepth ?? defaultMaxDepth
  // What WebAssembly does not take, and what is not valid, goes the careful way: it tells what is wrong where.
  return new JsonDocument(bytes, wasmTape(bytes, maxDepth) ?? writeTape(bytes, maxDepth))
}
