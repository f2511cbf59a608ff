import type { RequestId } from '@incipit/core'
import { requestId } from '@incipit/core'
import { randomFillSync } from 'node:crypto'

const idBytes = 12
/** Randomness for many ids at once: a call into the system costs more than an id. */
const pool = Buffer.alloc(idBytes * 256)
let used = pool.length

/**
 * `req_` and 24 hex digits, unpredictable.
 * @example newRequestId() // 'req_5f2c...'
 */
export function newRequestId(): RequestId {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = requestId(`req_${pool.toString('hex', used, used + idBytes)}`)
  used += idBytes
  return id
}
