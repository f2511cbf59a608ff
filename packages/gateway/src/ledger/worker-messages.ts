import type { SqlRow, SqlValue } from './driver.ts'
import type { SqlErrorCode } from './sql-error.ts'

/** What the ledger asks its worker threads; every one is answered by a reply with its `id`. */
export type WorkerRequest = RecordRequest | QueryRequest | CloseRequest

/** Rows in the order of `eventColumns`. */
export interface RecordRequest {
  readonly kind: 'record'
  readonly id: number
  readonly rows: readonly (readonly SqlValue[])[]
}

export interface QueryRequest {
  readonly kind: 'query'
  readonly id: number
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

export interface CloseRequest {
  readonly kind: 'close'
  readonly id: number
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  /** The file could not be opened; the thread ends. */
  | { readonly kind: 'refused'; readonly message: string }
  /** All rows are committed but those named. */
  | { readonly kind: 'recorded'; readonly id: number; readonly failedRows: readonly FailedRow[] }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly SqlRow[] }
  | { readonly kind: 'failed'; readonly id: number; readonly code: SqlErrorCode; readonly message: string }
  | { readonly kind: 'closed'; readonly id: number }

/** A row that the schema refuses; its neighbours are not harmed. */
export interface FailedRow {
  readonly row: number
  readonly message: string
}
