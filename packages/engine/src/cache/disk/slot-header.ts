import { crc32 } from 'node:zlib'
import { blockTokens } from '../block-key.ts'

/** Bytes of the header of one slot. */
export const headerBytes = 1_024

/** What a slot holds. */
export interface SlotHeader {
  /** SHA-256 of the block's chain, hex. */
  readonly key: string
  /** `undefined` for the first block of a prefix. */
  readonly parentKey: string | undefined
  readonly scope: string
  readonly tokens: Int32Array
  readonly stateBytes: number
  readonly stateChecksum: number
  /** When it was last used, in milliseconds since 1970. */
  readonly usedAt: number
}

const magic = Buffer.from('INCIPKV1', 'latin1')
/** Where `usedAt` lies: it is written alone, so no checksum covers it. */
export const usedAtOffset = 8
const checksumOffset = 16
const checkedFrom = 20
const keyBytes = 32
const longestScope = headerBytes - checkedFrom - 12 - 2 * keyBytes - 4 * blockTokens
const noParent = '0'.repeat(2 * keyBytes)

/**
 * A header as it lies in the file.
 * @throws RangeError for a scope that does not fit
 */
export function encodeHeader(header: SlotHeader): Buffer {
  const bytes = Buffer.alloc(headerBytes)
  const scope = Buffer.from(header.scope, 'utf8')
  if (scope.length > longestScope) throw new RangeError(`scope is ${scope.length} bytes, ${longestScope} allowed`)
  magic.copy(bytes)
  bytes.writeDoubleLE(header.usedAt, usedAtOffset)
  let at = checkedFrom
  for (const value of [header.stateChecksum, header.stateBytes, scope.length]) at = bytes.writeUInt32LE(value, at)
  at += bytes.write(header.key, at, 'hex')
  at += bytes.write(header.parentKey ?? noParent, at, 'hex')
  for (const token of header.tokens) at = bytes.writeInt32LE(token, at)
  scope.copy(bytes, at)
  bytes.writeUInt32LE(crc32(bytes.subarray(checkedFrom)), checksumOffset)
  return bytes
}

/** What lies in a header; `undefined` where it is empty or erased, `'broken'` where it is damaged or somebody else's. */
export function decodeHeader(bytes: Buffer): SlotHeader | 'broken' | undefined {
  if (bytes[0] === 0) return undefined
  if (!bytes.subarray(0, magic.length).equals(magic)) return 'broken'
  if (crc32(bytes.subarray(checkedFrom)) !== bytes.readUInt32LE(checksumOffset)) return 'broken'
  const [stateChecksum, stateBytes, scopeBytes] = [0, 4, 8].map((at) => bytes.readUInt32LE(checkedFrom + at)) as [
    number,
    number,
    number,
  ]
  if (scopeBytes > longestScope) return 'broken'
  let at = checkedFrom + 12
  const key = bytes.toString('hex', at, (at += keyBytes))
  const parent = bytes.toString('hex', at, (at += keyBytes))
  const tokens = Int32Array.from({ length: blockTokens }, (_, index) => bytes.readInt32LE(at + 4 * index))
  at += 4 * blockTokens
  return {
    key,
    parentKey: parent === noParent ? undefined : parent,
    scope: bytes.toString('utf8', at, at + scopeBytes),
    tokens,
    stateBytes,
    stateChecksum,
    usedAt: bytes.readDoubleLE(usedAtOffset),
  }
}
