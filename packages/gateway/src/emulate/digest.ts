import { createHash } from 'node:crypto'

/**
 * SHA-256 over length-framed fields, in hex: two lists of fields never meet in one digest.
 * @example digest('org_1', 'claude-opus-5')
 */
export function digest(...fields: readonly string[]): string {
  const hash = createHash('sha256')
  for (const field of fields) hash.update(`${Buffer.byteLength(field)}:`).update(field)
  return hash.digest('hex')
}

/** An id as providers write them: a prefix and letters that follow from the fields. */
export function idOf(prefix: string, ...fields: readonly string[]): string {
  return `${prefix}${digest(...fields).slice(0, 24)}`
}
