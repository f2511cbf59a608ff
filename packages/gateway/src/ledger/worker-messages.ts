import type { SqlRow, SqlValue } from './driver.ts'
import type { Work, WorkDone } from './maintenance.ts'
import type { SummaryQuery } from './port.ts'
import type { PackedSummary } from './summary/packed-summary.ts'
import type { SqlErrorCode } from './sql-error.ts'

/** What the ledger asks its worker threads; every one is answered by a reply with its `id`. */
export type WorkerRequest = ImportRequest | QueryRequest | SummaryRequest | WorkRequest | CloseRequest

/** Moves rows from journals into the store. */
export interface ImportRequest {
  readonly kind: 'import'
  readonly id: number
  /** The journals of this ledger, oldest first. */
  readonly journals: readonly JournalToImport[]
  /** Those of other processes, too, so that a question sees what they have recorded. */
  readonly others: boolean
  /** Takes the journals of other processes away from them, so that they are deleted once they are imported. */
  readonly take?: boolean
}

export interface JournalToImport {
  readonly path: string
  /** Nobody appends to it any more: it is deleted once it is in the store. */
  readonly sealed: boolean
}

export interface QueryRequest {
  readonly kind: 'query'
  readonly id: number
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

export interface SummaryRequest {
  readonly kind: 'summary'
  readonly id: number
  readonly query: SummaryQuery
}

/** One step of maintenance. */
export interface WorkRequest {
  readonly kind: 'work'
  readonly id: number
  readonly work: Work
}

export interface CloseRequest {
  readonly kind: 'close'
  readonly id: number
}

export type WorkerReply =
  | ({ readonly kind: 'ready' } & ImportCounts)
  /** The file could not be opened; the thread ends. */
  | { readonly kind: 'refused'; readonly message: string }
  | ImportReply
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly SqlRow[] }
  | { readonly kind: 'summary'; readonly id: number; readonly summary: PackedSummary }
  | ({ readonly kind: 'done'; readonly id: number } & WorkDone)
  | { readonly kind: 'failed'; readonly id: number; readonly code: SqlErrorCode; readonly message: string }
  /** The question was wrong: an `invalid_request` about this parameter. */
  | { readonly kind: 'invalid'; readonly id: number; readonly message: string; readonly param: string | undefined }
  | { readonly kind: 'closed'; readonly id: number }

/** How far an import came. */
export interface ImportReply extends ImportCounts {
  readonly kind: 'imported'
  readonly id: number
  readonly states: readonly JournalState[]
  /** There is more to import; a request does a bounded part. */
  readonly more: boolean
  /** Why it ended early; what is in `states` is committed nevertheless. */
  readonly failure: { readonly code: SqlErrorCode; readonly message: string } | undefined
}

/** What an import met besides rows it took. */
export interface ImportCounts {
  /** Rows of other processes, or of earlier ones. */
  readonly recovered: number
  /** Lines that are no rows. */
  readonly garbage: number
  /** Rows that the schema refused. */
  readonly refused: number
  /** Why, for the first few. */
  readonly refusals: readonly string[]
}

/** Where a journal stands: all of its lines up to `position` are in the store, but those it refused. */
export type JournalState =
  | {
      /** `deleted`: it was sealed and is wholly in the store. */
      readonly kind: 'imported' | 'deleted'
      readonly name: string
      readonly position: number
      readonly lines: number
      readonly stored: number
    }
  /** It was taken by another process. */
  | { readonly kind: 'gone'; readonly name: string }
