import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs'
import type { SqlDatabase, SqlDriverName } from './driver.ts'
import { openDatabase } from './driver.ts'
import { applicationId, migrate } from './schema.ts'
import type { SqlErrorCode } from './sql-error.ts'
import { SqlError } from './sql-error.ts'

/** How a thread opens the store. */
export interface LedgerFileOptions {
  readonly file: string
  /** PostgreSQL instead of the file; the file's name is that of the journals then. */
  readonly url?: string | undefined
  /** Default: the best of this Node. */
  readonly driver?: SqlDriverName | undefined
  /** How long one statement of PostgreSQL may take. */
  readonly queryTimeoutMs?: number | undefined
  readonly busyMs: number
  /** The file never grows past this: as on a full disk, rows stay in the journals then. */
  readonly maxBytes: number | undefined
  /** Which journals are our own (`newOpening`). */
  readonly opening: string
  /** A reader never writes, and leaves checks and migrations to the writer. */
  readonly role: 'writer' | 'reader'
}

/** Room for the pages of one transaction. Default: 2 MiB. */
const writerCacheKib = 16 * 1024
/** The log is moved into the file when it has so many pages, 16 MiB; a page that was written often in it moves once. */
const checkpointPages = 4_000
/** Larger files are not read through at start; their damage shows when a page is used. */
const checkedBytes = 64 * 2 ** 20

/**
 * Opens the store file, creates it (mode 0600) or brings it to the newest schema.
 *
 * WAL with `synchronous=NORMAL`: what was committed survives the death of the process at any moment. A power
 * loss may take the last commits with it, never the file's consistency.
 *
 * @throws Error naming the file when it is damaged, another program's, or of a newer schema. The file is left as it is.
 */
export async function openLedgerFile(options: LedgerFileOptions): Promise<SqlDatabase> {
  try {
    if (options.role === 'writer') ensurePrivate(options.file)
    // The writer makes it, private and with all that belongs into it.
    else if (!existsSync(options.file)) throw new SqlError('cannot_open', 'there is no such file')
    const database = await openDatabase({ file: options.file, busyMs: options.busyMs, driver: options.driver })
    try {
      prepareDatabase(database, options)
    } catch (error) {
      database.close()
      throw error
    }
    return database
  } catch (error) {
    throw new Error(`cannot use the ledger file ${options.file}: ${reason(error)}`, { cause: error })
  }
}

function prepareDatabase(database: SqlDatabase, options: LedgerFileOptions): void {
  if (options.role === 'reader') {
    database.exec('PRAGMA query_only = 1')
    return
  }
  checkOwner(database)
  // Only takes effect in a file without tables: older files keep their space for rows to come.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  // What is deleted is overwritten: an erased row must not be readable in the file.
  database.exec('PRAGMA secure_delete = ON')
  database.exec(`PRAGMA journal_size_limit = ${16 * 2 ** 20}`)
  // An import touches pages of a dozen indexes: with room for them, each is written once and not several times.
  database.exec(`PRAGMA cache_size = -${writerCacheKib}`)
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`)
  if (statSync(options.file).size <= checkedBytes) checkPages(database)
  migrate(database)
  if (options.maxBytes !== undefined) {
    const pageBytes = Number(database.prepare('PRAGMA page_size').get()?.['page_size'])
    database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageBytes))}`)
  }
}

/** SQLite gives its journals the mode of the file, so it is enough to create the file first. */
function ensurePrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
}

function checkOwner(database: SqlDatabase): void {
  // Tables first: another process of ours may be making them, and the id comes with them.
  const tables = Number(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'])
  const id = Number(database.prepare('PRAGMA application_id').get()?.['application_id'])
  if (id === applicationId) return
  if (id !== 0 || tables > 0) {
    throw new Error('it is a SQLite database of another program: name another file')
  }
}

function checkPages(database: SqlDatabase): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (found !== 'ok') throw new SqlError('corrupt', 'the database is damaged')
}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof SqlError ? (advice[error.code] ?? message) : message
}

const advice: Partial<Record<SqlErrorCode, string>> = {
  corrupt: 'it is damaged: restore a backup, or move it aside to start a new ledger',
  not_a_database: 'it is not a SQLite database: name another file, or move it aside to start a new ledger',
  busy: 'another process holds its lock',
  cannot_open: 'it cannot be opened: check that its folder exists and can be written',
}
