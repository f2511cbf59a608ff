import { LedgerError } from './ledger-error.ts'
import type { Answer } from './worker-channel.ts'

/**
 * What a failure of a thread means to whoever waits.
 * @example ledgerErrorOf({ kind: 'failed', id: 1, code: 'busy', message: 'database is locked' }).reason // 'locked'
 */
export function ledgerErrorOf(failure: Answer | Error): LedgerError {
  if (failure instanceof LedgerError) return failure
  if (failure instanceof Error) return new LedgerError('store_failed', failure.message)
  if (failure.kind !== 'failed') return new LedgerError('store_failed', `unexpected answer ${failure.kind}`)
  const reason = failure.code === 'busy' ? 'locked' : failure.code === 'disk_full' ? 'disk_full' : 'store_failed'
  return new LedgerError(reason, failure.message)
}
