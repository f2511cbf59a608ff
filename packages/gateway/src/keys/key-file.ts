import { closeSync, openSync } from 'node:fs'
import type { SqlDatabase, SqlRow } from '../ledger/driver.ts'
import { openDatabase } from '../ledger/driver.ts'
import { FileIdentity } from '../ledger/file-identity.ts'
import { fromKeyRow, toKeyRow } from './key-row.ts'
import type { KeyChange, KeyStore, KeyUse, KeyWrite } from './key-store.ts'
import type { StoredKey } from './virtual-key.ts'

/** 'InKy': tells the file from those of other programs. */
const applicationId = 0x496e4b79
const schemaVersion = 1

/**
 * The file of virtual keys, for the one thread that has it. Created with mode 0600.
 *
 * WAL with `synchronous=FULL`: a key that was given out is not lost with the power either.
 * @throws Error naming the file when it is another program's, damaged, or of a newer schema
 */
export async function openKeyFile(file: string, busyMs: number): Promise<KeyFile> {
  try {
    closeSync(openSync(file, 'a', 0o600))
    const database = await openDatabase({ file, busyMs })
    try {
      prepare(database)
      return new KeyFile(database, new FileIdentity(file))
    } catch (error) {
      database.close()
      throw error
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`cannot use the file of virtual keys ${file}: ${reason}`, { cause })
  }
}

/** The store in a file. Each call blocks its thread for as long as SQLite takes. */
export class KeyFile implements KeyStore {
  readonly #database: SqlDatabase
  readonly #file: FileIdentity

  constructor(database: SqlDatabase, file: FileIdentity) {
    this.#database = database
    this.#file = file
  }

  async changes(after: number, limit: number): Promise<KeyChange[]> {
    const sql = 'SELECT * FROM virtual_keys WHERE revision > ? ORDER BY revision LIMIT ?'
    return this.#database.prepare(sql).all([after, limit]).map(fromKeyRow)
  }

  async insert(stored: StoredKey): Promise<KeyWrite> {
    return this.#write(() => {
      if (this.#isTaken(stored)) return { kind: 'name-taken' }
      const revision = this.#nextRevision()
      this.#database
        .prepare('INSERT INTO virtual_keys (id, name, digest, data, revision) VALUES (?, ?, ?, ?, ?)')
        .run([...toKeyRow(stored), revision])
      return { kind: 'written', revision }
    })
  }

  async replace(stored: StoredKey, seen: number): Promise<KeyWrite> {
    const [id, name, digest, data] = toKeyRow(stored)
    return this.#write(() => {
      if (this.#revisionOf(id) !== seen) return { kind: 'changed' }
      if (this.#isTaken(stored)) return { kind: 'name-taken' }
      const revision = this.#nextRevision()
      this.#database
        .prepare('UPDATE virtual_keys SET name = ?, digest = ?, data = ?, revision = ? WHERE id = ?')
        .run([name, digest, data, revision, id])
      return { kind: 'written', revision }
    })
  }

  async revoke(id: string, seen: number): Promise<KeyWrite> {
    return this.#write(() => {
      if (this.#revisionOf(id) !== seen) return { kind: 'changed' }
      const revision = this.#nextRevision()
      this.#database
        .prepare("UPDATE virtual_keys SET digest = NULL, data = '{}', revision = ? WHERE id = ?")
        .run([revision, id])
      return { kind: 'written', revision }
    })
  }

  async noteUse(uses: readonly KeyUse[]): Promise<void> {
    this.#database.transaction(() => {
      const statement = this.#database.prepare(
        'UPDATE virtual_keys SET last_used_at = ? WHERE id = ? AND coalesce(last_used_at, 0) < ?',
      )
      for (const { id, at } of uses) statement.run([at, id, at])
    })
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  /** What is answered as written has to be there for the next start. */
  #write<T>(work: () => T): T {
    this.#file.check()
    return this.#database.transaction(work)
  }

  #isTaken({ key }: StoredKey): boolean {
    const sql = 'SELECT 1 AS found FROM virtual_keys WHERE name = ? AND digest IS NOT NULL AND id <> ? LIMIT 1'
    return this.#database.prepare(sql).get([key.name, key.id]) !== undefined
  }

  /** `undefined` = there is no such key, or it was revoked. */
  #revisionOf(id: string): number | undefined {
    const sql = 'SELECT revision FROM virtual_keys WHERE id = ? AND digest IS NOT NULL LIMIT 1'
    return numberIn(this.#database.prepare(sql).get([id]), 'revision')
  }

  #nextRevision(): number {
    this.#database.exec('UPDATE key_revision SET last = last + 1')
    return numberIn(this.#database.prepare('SELECT last FROM key_revision LIMIT 1').get(), 'last') ?? 0
  }
}

function prepare(database: SqlDatabase): void {
  const numberOf = (pragma: string): number => numberIn(database.prepare(`PRAGMA ${pragma}`).get(), pragma) ?? 0
  const tables = numberIn(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get(), 'tables')
  const id = numberOf('application_id')
  if (id !== applicationId && (id !== 0 || tables !== 0)) throw new Error('it is the database of another program')
  if (numberOf('user_version') > schemaVersion) throw new Error('it was written by a newer version of incipit')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.transaction(() => {
    if (numberOf('user_version') === schemaVersion) return
    for (const statement of schema) database.exec(statement)
  })
}

const schema = [
  `CREATE TABLE virtual_keys (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    digest TEXT UNIQUE,
    data TEXT NOT NULL,
    revision INTEGER NOT NULL UNIQUE,
    last_used_at INTEGER
  ) STRICT`,
  'CREATE UNIQUE INDEX virtual_keys_name ON virtual_keys (name) WHERE digest IS NOT NULL',
  'CREATE TABLE key_revision (last INTEGER NOT NULL) STRICT',
  'INSERT INTO key_revision (last) VALUES (0)',
  `PRAGMA application_id = ${applicationId}`,
  `PRAGMA user_version = ${schemaVersion}`,
]

function numberIn(row: SqlRow | undefined, column: string): number | undefined {
  const value = row?.[column]
  return value === undefined || value === null ? undefined : Number(value)
}
