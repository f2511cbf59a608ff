import type { Hasher } from '@incipit/core'
import { createHash, createHmac } from 'node:crypto'

/** The `Hasher` port on `node:crypto`. */
export const nodeHasher: Hasher = {
  hmacSha256: (key, message) => createHmac('sha256', key).update(message).digest(),
  sha256: (message) => createHash('sha256').update(message).digest(),
}
