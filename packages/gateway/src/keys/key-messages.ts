import type { SqlErrorCode } from '../ledger/sql-error.ts'
import type { KeyUse } from './key-store.ts'
import type { StoredKey } from './virtual-key.ts'

/** Where the thread finds the store: PostgreSQL when there is a `url`, else a file. */
export interface KeyWorkerData {
  readonly file: string
  readonly url: string | undefined
  /** How long a lock of another process is waited for. */
  readonly busyMs: number
}

export type KeyRequest = { readonly id: number } & (
  | { readonly kind: 'changes'; readonly after: number; readonly limit: number }
  | { readonly kind: 'insert'; readonly stored: StoredKey }
  | { readonly kind: 'replace'; readonly stored: StoredKey; readonly revision: number }
  | { readonly kind: 'revoke'; readonly key: string; readonly revision: number }
  | { readonly kind: 'note-use'; readonly uses: readonly KeyUse[] }
  | { readonly kind: 'close' }
)

export type KeyReply =
  | { readonly kind: 'ready' }
  /** The file could not be opened; the thread ends. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly code: SqlErrorCode; readonly message: string }
