import type { RequestId } from '@incipit/core'
import { requestId } from '@incipit/core'
import { randomFillSync } from 'node:crypto'

const randomBytes = 8
/** Randomness for many ids at once: a call into the system costs more than an id. */
const pool = Buffer.alloc(randomBytes * 256)
let used = pool.length

/**
 * `req_` and 24 hex digits: the second in eight, so that rows of one time stand together in an index and not in as
 * many pages as there are rows, and 16 that are unpredictable.
 *
 * @example newRequestId() // 'req_6926761c5f2c...'
 */
export function newRequestId(): RequestId {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = requestId(`req_${second()}${pool.toString('hex', used, used + randomBytes)}`)
  used += randomBytes
  return id
}

let current = { number: 0, text: '' }

function second(): string {
  const number = Math.floor(Date.now() / 1_000)
  if (number !== current.number) current = { number, text: number.toString(16).padStart(8, '0').slice(-8) }
  return current.text
}
