import type { SqlDatabase, SqlStatement, SqlValue } from './driver.ts'
import type { Inserted } from './insert-events.ts'
import { insertEvent } from './insert-events.ts'
import type { SqlConnection } from './sql-connection.ts'
import { sqliteDialect } from './sql-dialects.ts'
import { SqlError } from './sql-error.ts'

/** Statements that are kept prepared; a filter has its own for each combination of fields. */
const mostStatements = 100
/** Pages that are given back at once: 2 MiB. */
const shrinkPages = 512

/**
 * A store file as a connection: every call is over when it returns.
 * @example const connection = sqliteConnection(await openLedgerFile(options))
 */
export function sqliteConnection(database: SqlDatabase): SqlConnection {
  const statements = new Map<string, SqlStatement>()
  const prepare = (sql: string): SqlStatement => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    if (statements.size >= mostStatements) statements.clear()
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  const pragma = (text: string): unknown => Object.values(database.prepare(`PRAGMA ${text}`).all()[0] ?? {})[0]
  let inTransaction = false
  const within = async <T>(begin: string, work: () => Promise<T>): Promise<T> => {
    database.exec(begin)
    inTransaction = true
    try {
      const result = await work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      rollBack(database)
      throw error
    } finally {
      inTransaction = false
    }
  }
  // A prepared statement that meets a lock is never over for libsql, and nothing can be committed beside it: the
  // lock is met by `BEGIN` instead, which is not prepared.
  const run: SqlConnection['run'] = async (sql, parameters) => {
    if (inTransaction) return prepare(sql).run(parameters)
    return within('BEGIN IMMEDIATE', async () => prepare(sql).run(parameters))
  }
  return {
    dialect: sqliteDialect,
    all: async (sql, parameters) => prepare(sql).all(parameters),
    run,
    transaction: (work) => within('BEGIN IMMEDIATE', work),
    snapshot: (work) => within('BEGIN', work),
    insertEvents: async (rows) => insertAll(prepare(insertEvent), rows),
    async shrink() {
      if (Number(pragma('freelist_count')) === 0 || pragma('auto_vacuum') !== 2) return false
      database.prepare(`PRAGMA incremental_vacuum(${shrinkPages})`).all()
      return Number(pragma('freelist_count')) > 0
    },
    // What was deleted is overwritten in the log; the file has it until the log is moved into it.
    async scrub() {
      const [state] = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
      if (state?.['busy'] !== 0) throw new SqlError('busy', 'somebody reads the store: its log cannot be moved into it')
    },
    async close() {
      database.close()
    },
  }
}

function rollBack(database: SqlDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // A full disk or an I/O error has rolled back already; the first error is the one to report.
  }
}

function insertAll(insert: SqlStatement, rows: readonly (readonly SqlValue[])[]): Inserted {
  const added: (readonly SqlValue[])[] = []
  const refusals: string[] = []
  for (const row of rows) {
    // A value or the schema refuses one row: only that statement is undone. Anything else ends the transaction.
    try {
      if (insert.run(row) > 0) added.push(row)
    } catch (error) {
      if (error instanceof SqlError && !codesOfRows.has(error.code)) throw error
      refusals.push(error instanceof Error ? error.message : String(error))
    }
  }
  return { added, refusals }
}

const codesOfRows = new Set(['constraint', 'mismatch', 'too_big'])
