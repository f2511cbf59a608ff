import type { SqlRow, SqlValue } from './driver.ts'
import type { Inserted } from './insert-events.ts'
import type { SqlDialect } from './sql-dialects.ts'

/**
 * One connection to a store, for the thread that owns it. Statements are written once for both stores: parameters
 * are `?`, and what differs is in `dialect`. Whoever uses it does one thing after the other.
 *
 * @throws SqlError from every call
 */
export interface SqlConnection {
  readonly dialect: SqlDialect
  all(sql: string, parameters?: readonly SqlValue[]): Promise<SqlRow[]>
  /** Rows changed. */
  run(sql: string, parameters?: readonly SqlValue[]): Promise<number>
  /** Runs `work` as the only writer of the store; all of it is committed, or nothing when it throws. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** Runs questions that see the store at one moment. */
  snapshot<T>(work: () => Promise<T>): Promise<T>
  /** Within a transaction. Rows that the schema refuses do not keep their neighbours out. */
  insertEvents(rows: readonly (readonly SqlValue[])[]): Promise<Inserted>
  /** Gives a bounded amount of space of deleted rows back to the file system; false when there is no more. */
  shrink(): Promise<boolean>
  /** Makes deleted rows unreadable in the files of the store, as far as others who read it allow it now. */
  scrub(): Promise<void>
  close(): Promise<void>
}
