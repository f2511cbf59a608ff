import type { RequestId } from '@incipit/core'
import { requestId } from '@incipit/core'
import { randomBytes } from 'node:crypto'

/**
 * `req_` and 24 hex digits, unpredictable.
 * @example newRequestId() // 'req_5f2c...'
 */
export function newRequestId(): RequestId {
  return requestId(`req_${randomBytes(12).toString('hex')}`)
}
