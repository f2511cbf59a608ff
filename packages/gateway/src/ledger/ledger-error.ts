/** Why a row was not recorded, or a question not answered. */
export type LedgerErrorReason =
  /** Too many rows wait already, for the disk or for the store. */
  | 'queue_full'
  /** No answer within the time allowed; the row may be stored still (`counters.late`). */
  | 'timeout'
  /** Another process holds the lock of the file. */
  | 'locked'
  | 'disk_full'
  /** The database cannot be reached; what is recorded waits in journals. */
  | 'unreachable'
  /** The store or the file system refused for another reason; the message names it. */
  | 'store_failed'
  /** The thread of the store died; it restarts by itself. */
  | 'worker_crashed'
  | 'closed'

/**
 * The ledger could not do what was asked. Serving goes on: the caller counts it and lets the
 * request pass.
 */
export class LedgerError extends Error {
  readonly reason: LedgerErrorReason

  constructor(reason: LedgerErrorReason, message: string) {
    super(message)
    this.name = 'LedgerError'
    this.reason = reason
  }
}
