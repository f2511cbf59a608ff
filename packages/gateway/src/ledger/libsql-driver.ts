import type { SqlDatabase, SqlOpenOptions } from './driver.ts'
import type { BoundValue, RawDatabase } from './sql-database.ts'
import { wrapDatabase } from './sql-database.ts'
import { SqlError } from './sql-error.ts'

/** What is used of libsql 0.5; its own types describe another library's interface. */
interface LibsqlDatabase {
  exec(sql: string): void
  prepare(sql: string): LibsqlStatement
  close(): void
}

interface LibsqlStatement {
  run(parameters: readonly BoundValue[]): { readonly changes: number }
  all(parameters: readonly BoundValue[]): Record<string, unknown>[]
}

type LibsqlConstructor = new (file: string) => LibsqlDatabase

/**
 * Opens a file with `libsql`: the driver for Node 20. Parameters always go as one array, because
 * libsql takes a lone object for named parameters and aborts the process when the names are missing.
 */
export async function openLibsql(options: SqlOpenOptions): Promise<SqlDatabase> {
  const { default: Database } = (await import('libsql')) as unknown as { default: LibsqlConstructor }
  const database = connect(Database, options)
  const raw: RawDatabase = {
    driver: 'libsql',
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql)
      return {
        run: (parameters) => statement.run(parameters).changes,
        all: (parameters) => statement.all(parameters),
      }
    },
    close: () => database.close(),
    resultCode: (error) =>
      error instanceof Error && 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : undefined,
  }
  return wrapDatabase(raw, options.busyMs)
}

function connect(Database: LibsqlConstructor, options: SqlOpenOptions): LibsqlDatabase {
  try {
    return new Database(options.file)
  } catch (error) {
    throw new SqlError('cannot_open', error instanceof Error ? error.message : String(error), error)
  }
}
