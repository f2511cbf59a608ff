import { createHash } from 'node:crypto'
import { frame } from '@incipit/core'

/** Everything that makes two equal token sequences have different state. */
export interface CheckpointIdentity {
  readonly modelHash: string
  readonly stateFormat: string
  readonly scope: string
}

/**
 * Keys of the prefixes of some lengths, ascending: each stands for the whole prefix, the model and the scope.
 * @example checkpointKeys(identity, tokens, [128, 400])
 */
export function checkpointKeys(
  { modelHash, stateFormat, scope }: CheckpointIdentity,
  tokens: Int32Array,
  lengths: readonly number[],
): readonly string[] {
  const hash = createHash('sha256').update(frame(['incipit/checkpoint/1', modelHash, stateFormat, scope]))
  let at = 0
  return lengths.map((length) => {
    hash.update(tokenBytes(tokens.subarray(at, length)))
    at = length
    return hash.copy().digest('hex')
  })
}

/** Little-endian, on every machine. */
export function tokenBytes(tokens: Int32Array): Uint8Array {
  const bytes = Buffer.alloc(4 * tokens.length)
  for (const [index, token] of tokens.entries()) bytes.writeInt32LE(token, 4 * index)
  return bytes
}
