import type { Pool, PoolClient } from 'pg'
import type { SqlRow } from '../ledger/driver.ts'
import { postgresErrorOf } from '../ledger/postgres-error.ts'
import { SqlError } from '../ledger/sql-error.ts'
import { fromKeyRow, toKeyRow } from './key-row.ts'
import type { KeyChange, KeyStore, KeyUse, KeyWrite } from './key-store.ts'
import type { StoredKey } from './virtual-key.ts'

const connectTimeoutMs = 5_000
const queryTimeoutMs = 10_000
const idleMs = 30_000
/** The number of the ledger's advisory lock: both make the schema when it is missing. */
const schemaLock = 0x494e4350
const schemaVersion = 1

/**
 * Virtual keys in PostgreSQL, beside the ledger in the schema `incipit`. A connection that is lost is opened again
 * with the next request. All writers take the row of the last revision first, so that revisions become visible in
 * their order.
 *
 * @throws SqlError from every call; `unreachable` when the database is away
 * @example const store = new PostgresKeyStore('postgres://...')
 */
export class PostgresKeyStore implements KeyStore {
  readonly #url: string
  #pool: Promise<Pool> | undefined
  #closed = false

  constructor(url: string) {
    this.#url = url
  }

  async changes(after: number, limit: number): Promise<readonly KeyChange[]> {
    const sql = 'SELECT * FROM incipit.virtual_keys WHERE revision > $1 ORDER BY revision LIMIT $2'
    return this.#with(async (client) => {
      const { rows } = await client.query<SqlRow>(sql, [after, limit])
      return rows.map(fromKeyRow)
    })
  }

  insert(stored: StoredKey): Promise<KeyWrite> {
    const sql = 'INSERT INTO incipit.virtual_keys (id, name, digest, data, revision) VALUES ($1, $2, $3, $4, $5)'
    return this.#write(async (client, revision) => {
      if (await isTaken(stored, client)) return { kind: 'name-taken' }
      await client.query(sql, [...toKeyRow(stored), revision])
      return { kind: 'written', revision }
    })
  }

  replace(stored: StoredKey, seen: number): Promise<KeyWrite> {
    const sql = 'UPDATE incipit.virtual_keys SET name = $2, digest = $3, data = $4, revision = $5 WHERE id = $1'
    return this.#write(async (client, revision) => {
      if ((await revisionOf(stored.key.id, client)) !== seen) return { kind: 'changed' }
      if (await isTaken(stored, client)) return { kind: 'name-taken' }
      await client.query(sql, [...toKeyRow(stored), revision])
      return { kind: 'written', revision }
    })
  }

  revoke(id: string, seen: number): Promise<KeyWrite> {
    const sql = "UPDATE incipit.virtual_keys SET digest = NULL, data = '{}', revision = $2 WHERE id = $1"
    return this.#write(async (client, revision) => {
      if ((await revisionOf(id, client)) !== seen) return { kind: 'changed' }
      await client.query(sql, [id, revision])
      return { kind: 'written', revision }
    })
  }

  async noteUse(uses: readonly KeyUse[]): Promise<void> {
    const sql = `UPDATE incipit.virtual_keys AS key SET last_used_at = used.at
      FROM json_to_recordset($1::json) AS used (id text, at bigint)
      WHERE key.id = used.id AND coalesce(key.last_used_at, 0) < used.at`
    await this.#with((client) => client.query(sql, [JSON.stringify(uses)]))
  }

  async close(): Promise<void> {
    this.#closed = true
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.end()
  }

  /** A write that is refused changes nothing, not even the last revision. */
  #write(work: (client: PoolClient, revision: number) => Promise<KeyWrite>): Promise<KeyWrite> {
    return this.#with((client) =>
      within(client, async () => {
        const { rows } = await client.query<SqlRow>('UPDATE incipit.key_revision SET last = last + 1 RETURNING last')
        return work(client, Number(rows[0]?.['last']))
      }),
    )
  }

  async #with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#closed) throw new SqlError('other', 'the store of virtual keys is closed')
    let client: PoolClient | undefined
    let failure: Error | undefined
    try {
      this.#pool ??= this.#open()
      client = await (await this.#pool).connect()
      return await work(client)
    } catch (error) {
      failure = postgresErrorOf(error)
      throw failure
    } finally {
      // One that failed may be in the middle of something: it is not used again.
      client?.release(failure)
    }
  }

  async #open(): Promise<Pool> {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({
      connectionString: this.#url,
      application_name: 'incipit-keys',
      max: 1,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: queryTimeoutMs,
      idleTimeoutMillis: idleMs,
    })
    // A connection that breaks while idle is replaced; whoever asks next hears of it if that fails.
    pool.on('error', () => undefined)
    try {
      const client = await pool.connect()
      await within(client, () => migrate(client)).finally(() => client.release())
      return pool
    } catch (error) {
      this.#pool = undefined
      await pool.end()
      throw error
    }
  }
}

/** Resolves with what the work came to; a write that was refused is rolled back like one that failed. */
async function within<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    const result = await work()
    await client.query(isRefused(result) ? 'ROLLBACK' : 'COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

function isRefused(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind !== 'written'
}

async function isTaken({ key }: StoredKey, client: PoolClient): Promise<boolean> {
  const sql = 'SELECT 1 FROM incipit.virtual_keys WHERE name = $1 AND digest IS NOT NULL AND id <> $2 LIMIT 1'
  return (await client.query(sql, [key.name, key.id])).rows.length > 0
}

async function revisionOf(id: string, client: PoolClient): Promise<number | undefined> {
  const sql = 'SELECT revision FROM incipit.virtual_keys WHERE id = $1 AND digest IS NOT NULL'
  const { rows } = await client.query<SqlRow>(sql, [id])
  return rows[0] === undefined ? undefined : Number(rows[0]['revision'])
}

/** @throws SqlError `too_new` when a newer build has been here */
async function migrate(client: PoolClient): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [schemaLock])
  await client.query('CREATE SCHEMA IF NOT EXISTS incipit')
  await client.query(`CREATE TABLE IF NOT EXISTS incipit.key_revision (last bigint NOT NULL, schema integer NOT NULL)`)
  const { rows } = await client.query<SqlRow>('SELECT schema FROM incipit.key_revision')
  const version = rows[0] === undefined ? 0 : Number(rows[0]['schema'])
  if (version > schemaVersion) {
    throw new SqlError(
      'too_new',
      `virtual keys have schema version ${version}, this build knows up to ${schemaVersion}`,
    )
  }
  if (version === schemaVersion) return
  for (const statement of schema) await client.query(statement)
}

const schema = [
  `CREATE TABLE incipit.virtual_keys (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    digest text UNIQUE,
    data text NOT NULL,
    revision bigint NOT NULL UNIQUE,
    last_used_at bigint
  )`,
  'CREATE UNIQUE INDEX virtual_keys_name ON incipit.virtual_keys (name) WHERE digest IS NOT NULL',
  `INSERT INTO incipit.key_revision (last, schema) VALUES (0, ${schemaVersion})`,
]
