import { createHash } from 'node:crypto'
import { frame } from '@incipit/core'

/** Tokens of one block: the unit in which KV state leaves the KV buffer. */
export const blockTokens = 64

/** Everything that makes two equal token sequences have different KV state. */
export interface BlockIdentity {
  /** SHA-256 of the model file, hex. */
  readonly modelHash: string
  /** `Context.stateFormat`: library version, KV types, flash attention, layout. */
  readonly stateFormat: string
  /** `IsolationScope.key`: blocks never cross it. */
  readonly scope: string
}

/**
 * The keys of the first full blocks of `tokens`: each is the SHA-256 of its parent's key and its
 * tokens, so that a key stands for the whole prefix. The same in every process and on every machine.
 *
 * @example blockKeys({ modelHash, stateFormat, scope }, tokens).length // Math.floor(tokens.length / 64)
 */
export function blockKeys(
  identity: BlockIdentity,
  tokens: Int32Array,
  count: number = Math.floor(tokens.length / blockTokens),
): readonly string[] {
  let parent: Uint8Array = createHash('sha256')
    .update(frame(['incipit/block/1', identity.modelHash, identity.stateFormat, identity.scope]))
    .digest()
  const bytes = littleEndian(tokens.subarray(0, count * blockTokens))
  const keys: string[] = []
  for (let block = 0; block < count; block++) {
    const from = block * blockTokens * Int32Array.BYTES_PER_ELEMENT
    const own = bytes.subarray(from, from + blockTokens * Int32Array.BYTES_PER_ELEMENT)
    const key = createHash('sha256').update(parent).update(own).digest()
    keys.push(key.toString('hex'))
    parent = key
  }
  return keys
}

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** The bytes of tokens, the same on every machine. */
export function littleEndian(tokens: Int32Array): Uint8Array {
  if (hostIsLittleEndian) return new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength)
  const bytes = new Uint8Array(tokens.byteLength)
  const view = new DataView(bytes.buffer)
  for (const [index, token] of tokens.entries()) view.setInt32(4 * index, token, true)
  return bytes
}
