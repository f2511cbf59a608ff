import type { SqlDatabase, SqlDriverName, SqlRow, SqlStatement, SqlValue } from './driver.ts'
import { SqlError, sqlErrorOf } from './sql-error.ts'

/** The few calls of a driver that are used, each with the parameters as one array. */
export interface RawDatabase {
  readonly driver: SqlDriverName
  exec(sql: string): void
  prepare(sql: string): RawStatement
  close(): void
  /** SQLite's result code of an error of this driver. */
  resultCode(error: unknown): number | undefined
}

export interface RawStatement {
  run(parameters: readonly BoundValue[]): number
  all(parameters: readonly BoundValue[]): Record<string, unknown>[]
}

/** What reaches a driver: blobs as Buffer, which both drivers take. */
export type BoundValue = string | number | bigint | null | Buffer

/**
 * The one typed wrapper over a driver. Every value is checked before it is bound: a wrong bind can
 * abort the process in native code, NaN would be stored as NULL, and text is cut at a NUL character.
 *
 * A lock held by another connection is waited for at most `busyMs` per call, blocking the thread.
 *
 * @throws SqlError from every call; RangeError for a value that cannot be bound
 */
export function wrapDatabase(raw: RawDatabase, busyMs: number): SqlDatabase {
  let open = true
  const call = <T>(work: () => T): T => {
    let deadline: number | undefined
    for (;;) {
      if (!open) throw new SqlError('other', 'the database is closed')
      try {
        return work()
      } catch (cause) {
        const error = sqlErrorOf(cause, raw.resultCode(cause))
        const now = performance.now()
        deadline ??= now + busyMs
        if (error.code !== 'busy' || now >= deadline) throw error
        // Waiting here and not in SQLite: a thread that ends while libsql waits aborts the process.
        Atomics.wait(neverNotified, 0, 0, retryMs)
      }
    }
  }
  const exec = (sql: string): void => call(() => raw.exec(sql))
  return {
    driver: raw.driver,
    exec,
    prepare(sql) {
      const statement = call(() => raw.prepare(sql))
      return wrapStatement(statement, call)
    },
    transaction(work) {
      exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        exec('COMMIT')
        return result
      } catch (error) {
        rollBack(exec)
        throw error
      }
    },
    close() {
      if (!open) return
      call(() => raw.close())
      open = false
    },
  }
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4))
const retryMs = 5

function wrapStatement(statement: RawStatement, call: <T>(work: () => T) => T): SqlStatement {
  const all = (parameters: readonly SqlValue[] = []): SqlRow[] => {
    const bound = boundOf(parameters)
    return call(() => statement.all(bound)).map(readable)
  }
  return {
    all,
    get: (parameters) => all(parameters)[0],
    run(parameters = []) {
      const bound = boundOf(parameters)
      return call(() => statement.run(bound))
    },
  }
}

function rollBack(exec: (sql: string) => void): void {
  try {
    exec('ROLLBACK')
  } catch {
    // A full disk or an I/O error has rolled back already; the first error is the one to report.
  }
}

/** The parameters as a driver takes them; without blobs that is the same list. */
function boundOf(parameters: readonly SqlValue[]): readonly BoundValue[] {
  let blobs = false
  for (let index = 0; index < parameters.length; index++) {
    const value = parameters[index] as SqlValue // within its length
    const wrong = refusal(value)
    if (wrong !== undefined) throw new RangeError(`parameter ${index + 1} ${wrong}`)
    blobs ||= typeof value === 'object' && value !== null
  }
  return blobs ? parameters.map(bindable) : (parameters as readonly BoundValue[]) // none is a blob
}

function bindable(value: SqlValue): BoundValue {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

function refusal(value: unknown): string | undefined {
  if (value === null || value instanceof Uint8Array) return undefined
  if (typeof value === 'string') return value.includes('\0') ? 'contains a NUL character' : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `is ${value}`
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? undefined : 'is beyond 2^53'
  return `is of type ${typeof value}`
}

function readable(row: Record<string, unknown>): SqlRow {
  for (const name in row) {
    if (row[name] instanceof ArrayBuffer) row[name] = new Uint8Array(row[name])
  }
  return row as SqlRow // SQLite has no other types than these
}
