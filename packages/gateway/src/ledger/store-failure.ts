import { IncipitError } from '@incipit/core'
import type { LedgerErrorReason } from './ledger-error.ts'
import { LedgerError } from './ledger-error.ts'
import type { SqlErrorCode } from './sql-error.ts'
import type { Answer } from './worker-channel.ts'

/**
 * What a failure of a thread means to whoever waits.
 * @example ledgerErrorOf({ kind: 'failed', id: 1, code: 'busy', message: 'database is locked' }).reason // 'locked'
 */
export function ledgerErrorOf(failure: Answer | Error): LedgerError {
  if (failure instanceof LedgerError) return failure
  if (failure instanceof Error) return new LedgerError('store_failed', failure.message)
  if (failure.kind !== 'failed') return new LedgerError('store_failed', `unexpected answer ${failure.kind}`)
  return new LedgerError(reasons[failure.code] ?? 'store_failed', failure.message)
}

const reasons: Partial<Record<SqlErrorCode, LedgerErrorReason>> = {
  busy: 'locked',
  disk_full: 'disk_full',
  unreachable: 'unreachable',
}

/** What an answer that is no answer means to whoever asked: a question may be wrong, too. */
export function errorOfAnswer(answer: Answer): Error {
  if (answer.kind !== 'invalid') return ledgerErrorOf(answer)
  return new IncipitError('invalid_request', answer.message, answer.param === undefined ? {} : { param: answer.param })
}
