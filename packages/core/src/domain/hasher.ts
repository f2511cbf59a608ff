/**
 * Cryptographic hashing as a port, so that the core stays free of `node:`. Synchronous: keys are
 * needed on the hot path.
 */
export interface Hasher {
  /** HMAC-SHA-256 of `message` under `key`: 32 bytes. */
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array
  /** SHA-256 of `message`: 32 bytes. */
  sha256(message: Uint8Array): Uint8Array
}

/**
 * Joins fields so that no two different lists of fields give the same bytes: each field is
 * preceded by its length as four little-endian bytes.
 * @example frame(['acme', 'tenant-7'])
 */
export function frame(fields: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder()
  const parts = fields.map((field) => (typeof field === 'string' ? encoder.encode(field) : field))
  const framed = new Uint8Array(parts.reduce((total, part) => total + 4 + part.length, 0))
  const view = new DataView(framed.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length, true)
    framed.set(part, at + 4)
    at += 4 + part.length
  }
  return framed
}

/** @example toHex(new Uint8Array([255, 0])) // 'ff00' */
export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}
