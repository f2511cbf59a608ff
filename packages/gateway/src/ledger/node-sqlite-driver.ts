import type { SqlDatabase, SqlOpenOptions } from './driver.ts'
import type { BoundValue, RawDatabase } from './sql-database.ts'
import { wrapDatabase } from './sql-database.ts'
import { sqlErrorOf } from './sql-error.ts'

/** What is used of `node:sqlite`; the types of the oldest supported Node do not have it. */
interface NodeSqliteModule {
  readonly DatabaseSync: new (file: string) => NodeSqliteDatabase
}

interface NodeSqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): NodeSqliteStatement
  close(): void
}

interface NodeSqliteStatement {
  run(...parameters: readonly BoundValue[]): { readonly changes: number | bigint }
  all(...parameters: readonly BoundValue[]): Record<string, unknown>[]
}

/** Whether this Node has `node:sqlite` without a flag. */
export function hasNodeSqlite(): boolean {
  return findModule() !== undefined
}

/**
 * Opens a file with `node:sqlite`.
 * @throws RangeError when this Node does not have it
 */
export function openNodeSqlite(options: SqlOpenOptions): SqlDatabase {
  const module = findModule()
  if (module === undefined) throw new RangeError(`node:sqlite needs Node 22.13, this is ${process.versions.node}`)
  const database = connect(module, options)
  const raw: RawDatabase = {
    driver: 'node:sqlite',
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql)
      return {
        run: (parameters) => Number(statement.run(...parameters).changes),
        // Rows have no prototype there; a copy makes them plain objects, as from the other driver.
        all: (parameters) => statement.all(...parameters).map((row) => ({ ...row })),
      }
    },
    close: () => database.close(),
    resultCode,
  }
  return wrapDatabase(raw, options.busyMs)
}

function findModule(): NodeSqliteModule | undefined {
  return process.getBuiltinModule('node:sqlite') as unknown as NodeSqliteModule | undefined
}

function connect(module: NodeSqliteModule, options: SqlOpenOptions): NodeSqliteDatabase {
  try {
    return new module.DatabaseSync(options.file)
  } catch (error) {
    throw sqlErrorOf(error, resultCode(error))
  }
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}
