import type { Client, ClientConfig } from 'pg'
import type { SqlRow, SqlValue } from './driver.ts'
import { eventColumns } from './event-row.ts'
import type { Inserted } from './insert-events.ts'
import { postgresErrorOf } from './postgres-error.ts'
import { migratePostgres, schemaName } from './postgres-schema.ts'
import type { SqlConnection } from './sql-connection.ts'
import type { SqlDialect } from './sql-dialects.ts'
import { postgresDialect } from './sql-dialects.ts'
import { SqlError } from './sql-error.ts'

/** How a database is reached. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`; what is missing is read from `PG*` variables. */
  readonly url: string
  /** A reader never writes, and leaves migrations to the writer. */
  readonly role: 'writer' | 'reader'
  /** How long one statement may take before the connection is given up. */
  readonly queryTimeoutMs: number
}

const connectTimeoutMs = 5_000
/** After a connection failed, whoever asks next is told so, for this long. */
const pauseMs = 500
/** Others who write, and whoever locks a table, are waited for this long. */
const lockTimeoutMs = 5_000
/** 'INCP', as the number of our advisory lock: one gateway writes at a time. */
const writersLock = 0x494e4350

/**
 * A connection to PostgreSQL that is opened when it is needed, and again after it was lost. What was under way then
 * fails, and changed nothing or all: whoever repeats it finds out from the position of the journal.
 *
 * @throws SqlError when the database was reached and cannot be used; one that is away is tried again later
 */
export async function openPostgres(options: PostgresOptions): Promise<SqlConnection> {
  const connection = new PostgresConnection(options)
  try {
    await connection.all('SELECT 1')
  } catch (error) {
    const { code } = postgresErrorOf(error)
    if (code !== 'unreachable' && code !== 'busy') {
      await connection.close()
      throw error
    }
  }
  return connection
}

class PostgresConnection implements SqlConnection {
  readonly dialect: SqlDialect = postgresDialect
  readonly #options: PostgresOptions
  #client: Client | undefined
  /** The connection of the transaction under way, or of what is done first on a new one. */
  #pinned: Client | undefined
  #lastFailure: { readonly error: SqlError; readonly at: number } | undefined

  constructor(options: PostgresOptions) {
    this.#options = options
  }

  async all(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    return (await this.#query(sql, parameters)).rows
  }

  async run(sql: string, parameters: readonly SqlValue[] = []): Promise<number> {
    return (await this.#query(sql, parameters)).rowCount
  }

  transaction<T>(work: () => Promise<T>): Promise<T> {
    return this.#within('BEGIN', async () => {
      await this.all('SELECT pg_advisory_xact_lock(?)::text', [writersLock])
      return work()
    })
  }

  snapshot<T>(work: () => Promise<T>): Promise<T> {
    return this.#within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
  }

  async insertEvents(rows: readonly (readonly SqlValue[])[]): Promise<Inserted> {
    if (rows.length === 0) return { added: [], refusals: [] }
    await this.run('SAVEPOINT rows')
    try {
      const ids = await this.all(insertSql, [JSON.stringify(rows.map(named))])
      await this.run('RELEASE SAVEPOINT rows')
      const added = new Map<SqlValue | undefined, readonly SqlValue[]>()
      const isNew = new Set(ids.map(({ id }) => id))
      // Of two rows with one id, the first is stored.
      for (const row of rows) if (isNew.has(row[0] ?? null) && !added.has(row[0])) added.set(row[0], row)
      return { added: [...added.values()], refusals: [] }
    } catch (error) {
      if (!(error instanceof SqlError) || !codesOfRows.has(error.code)) throw error
      await this.run('ROLLBACK TO SAVEPOINT rows')
      if (rows.length === 1) return { added: [], refusals: [error.message] }
      // A statement is refused as a whole: the rows to blame are found by halves.
      const middle = rows.length >> 1
      const first = await this.insertEvents(rows.slice(0, middle))
      const second = await this.insertEvents(rows.slice(middle))
      return { added: [...first.added, ...second.added], refusals: [...first.refusals, ...second.refusals] }
    }
  }

  /** The database reuses and gives back space by itself (autovacuum). */
  async shrink(): Promise<boolean> {
    return false
  }

  async scrub(): Promise<void> {}

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined)
  }

  async #within<T>(begin: string, work: () => Promise<T>): Promise<T> {
    const client = await this.#connected()
    const outer = this.#pinned
    this.#pinned = client
    try {
      await this.#ask(client, begin, [])
      const result = await work()
      await this.#query('COMMIT', [])
      return result
    } catch (error) {
      // One that was lost has rolled back by itself.
      if (this.#client === client) await this.#ask(client, 'ROLLBACK', []).catch(() => undefined)
      throw error
    } finally {
      this.#pinned = outer
    }
  }

  async #query(sql: string, parameters: readonly SqlValue[]): Promise<{ rows: SqlRow[]; rowCount: number }> {
    return this.#ask(await this.#connected(), sql, parameters)
  }

  async #ask(
    client: Client,
    sql: string,
    parameters: readonly SqlValue[],
  ): Promise<{ rows: SqlRow[]; rowCount: number }> {
    let number = 0
    const text = sql.replaceAll('?', () => `$${++number}`)
    try {
      const result = await client.query<Record<string, SqlValue>>(
        parameters.length === 0 ? text : { text, values: parameters.map(wellFormed) },
      )
      return { rows: result.rows, rowCount: result.rowCount ?? 0 }
    } catch (error) {
      const known = postgresErrorOf(error)
      if (known.code === 'unreachable') this.#drop(client)
      throw known
    }
  }

  async #connected(): Promise<Client> {
    // On a new connection, the rest of a transaction would be committed without its beginning.
    if (this.#pinned !== undefined && this.#pinned !== this.#client) {
      throw new SqlError('unreachable', 'the connection to the database was lost within a transaction')
    }
    if (this.#client !== undefined) return this.#client
    const failure = this.#lastFailure
    if (failure !== undefined && performance.now() - failure.at < pauseMs) throw failure.error
    try {
      const client = await this.#connect()
      this.#lastFailure = undefined
      return client
    } catch (error) {
      const known = postgresErrorOf(error)
      this.#lastFailure = { error: known, at: performance.now() }
      throw known
    }
  }

  async #connect(): Promise<Client> {
    const { default: pg } = await import('pg')
    const client = new pg.Client(this.#config())
    client.on('error', () => this.#drop(client))
    try {
      await client.connect()
      this.#client = client
      await client.query(`SET search_path TO ${schemaName}; SET lock_timeout = ${lockTimeoutMs}`)
      this.#pinned = client
      if (this.#options.role === 'writer') await migratePostgres(this)
      return client
    } catch (error) {
      this.#drop(client)
      throw error
    } finally {
      this.#pinned = undefined
    }
  }

  #config(): ClientConfig {
    return {
      connectionString: this.#options.url,
      application_name: 'incipit',
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: this.#options.queryTimeoutMs,
      keepAlive: true,
      types: { getTypeParser: parserOf },
    }
  }

  /** A connection that fails once is used no more. */
  #drop(client: Client): void {
    if (this.#client === client) this.#client = undefined
    // Not `end`, which would wait for a database that says nothing.
    void client.end().catch(() => undefined)
  }
}

const names = eventColumns.map((column) => column.name).join(', ')
const insertSql = `INSERT INTO events (${names}) SELECT ${names} FROM json_populate_recordset(NULL::events, ?::json)
  ON CONFLICT (id) DO NOTHING RETURNING id`

const codesOfRows = new Set(['constraint', 'mismatch', 'too_big'])

function named(row: readonly SqlValue[]): Record<string, SqlValue> {
  return Object.fromEntries(eventColumns.map(({ name }, index) => [name, wellFormed(row[index] ?? null)]))
}

/** Halves of surrogate pairs, which the database does not take, become U+FFFD, as in SQLite. */
function wellFormed(value: SqlValue): SqlValue {
  return typeof value === 'string' && /\p{Surrogate}/u.test(value) ? Buffer.from(value).toString() : value
}

/** Numbers of the database's own types, as far as we use them, within 2^53. */
const [int8, numeric, bytea] = [20, 1700, 17]

function parserOf(oid: number): (text: string) => unknown {
  if (oid === int8 || oid === numeric || floats.has(oid)) return Number
  return oid === bytea ? (text) => Buffer.from(text.slice(2), 'hex') : (text) => text
}

const floats = new Set([21, 23, 700, 701])
