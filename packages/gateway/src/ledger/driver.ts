import { openLibsql } from './libsql-driver.ts'
import { hasNodeSqlite, openNodeSqlite } from './node-sqlite-driver.ts'

/** What can be bound. Integers are exact up to 2^53; there is no `undefined`, no boolean, no NaN. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** A row by column name. Blobs come back as `Uint8Array`. */
export type SqlRow = Readonly<Record<string, SqlValue>>

/** A prepared statement; parameters are positional (`?`). */
export interface SqlStatement {
  /** Rows changed. */
  run(parameters?: readonly SqlValue[]): number
  all(parameters?: readonly SqlValue[]): SqlRow[]
  /** The first row, if any. Ends the statement: add `LIMIT 1` where more rows could follow. */
  get(parameters?: readonly SqlValue[]): SqlRow | undefined
}

/** One connection to a SQLite file. Synchronous: only ever used in a worker thread, or in tests. */
export interface SqlDatabase {
  readonly driver: SqlDriverName
  exec(sql: string): void
  prepare(sql: string): SqlStatement
  /** Runs `work` between BEGIN IMMEDIATE and COMMIT; rolls back and rethrows when it throws. */
  transaction<T>(work: () => T): T
  close(): void
}

export type SqlDriverName = 'node:sqlite' | 'libsql'

/** How to open a file. */
export interface SqlOpenOptions {
  readonly file: string
  /** How long a statement waits for another connection's lock, in milliseconds. */
  readonly busyMs: number
  /** Default: `node:sqlite` where this Node has it (22.13 and later), else `libsql`. */
  readonly driver?: SqlDriverName | undefined
}

/** The drivers that this Node can run, the preferred one first. */
export function sqlDrivers(): readonly SqlDriverName[] {
  return hasNodeSqlite() ? ['node:sqlite', 'libsql'] : ['libsql']
}

/**
 * Opens a SQLite file, creating it when it does not exist.
 * @throws SqlError when the file cannot be opened
 * @example const database = await openDatabase({ file: 'store.db', busyMs: 500 })
 */
export async function openDatabase(options: SqlOpenOptions): Promise<SqlDatabase> {
  const driver = options.driver ?? sqlDrivers()[0]
  return driver === 'node:sqlite' ? openNodeSqlite(options) : openLibsql(options)
}
