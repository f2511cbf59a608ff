import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What every virtual key begins with: leak scanners and people know one by it. */
export const keyPrefix = 'inc_'

const secretBytes = 32
/** Characters that 256 bits take in base 62. */
const secretLength = 43
/** Characters that a CRC-32 takes in base 62. */
const checksumLength = 6
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const shape = new RegExp(`^${keyPrefix}[0-9A-Za-z]{${secretLength + checksumLength}}$`)

/**
 * A new virtual key: `inc_`, 256 random bits as 43 letters and digits, and 6 of checksum. No character ends a
 * word, so that a double click selects all of it.
 * @example mintKey() // 'inc_' and 49 letters and digits
 */
export function mintKey(random: (bytes: number) => Uint8Array = randomBytes): string {
  const body = `${keyPrefix}${base62(random(secretBytes), secretLength)}`
  return `${body}${checksumOf(body)}`
}

/**
 * What a text is by its form alone: a whole key, one that lost or changed characters, or no virtual key at all.
 * @example formOf('inc_123') // 'damaged'
 */
export function formOf(text: string): 'whole' | 'damaged' | 'other' {
  if (!text.startsWith(keyPrefix)) return 'other'
  if (!shape.test(text)) return 'damaged'
  const body = text.slice(0, -checksumLength)
  return checksumOf(body) === text.slice(-checksumLength) ? 'whole' : 'damaged'
}

/** SHA-256 of a key: what is kept of it. */
export function keyDigest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/**
 * Enough of a key to tell it from others, and too little to use.
 * @example keyHint(key) // 'inc_...x7Qa'
 */
export function keyHint(text: string): string {
  return `${keyPrefix}...${text.slice(-4)}`
}

function checksumOf(body: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(body))
  return base62(bytes, checksumLength)
}

function base62(bytes: Uint8Array, length: number): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  while (text.length < length) {
    text = `${digits[Number(rest % 62n)]}${text}`
    rest /= 62n
  }
  return text
}
