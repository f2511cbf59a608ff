import type { SqlDatabase } from './driver.ts'
import { eventColumns } from './event-row.ts'

/** 'INCP': in the header of every store file, so that another program's file is never taken for ours. */
export const applicationId = 0x494e4350

/**
 * The steps from one schema version to the next; `user_version` of a file is how many of them it has.
 * Published steps are never edited: a change is a new step.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE events (
     ${columnsUpTo('error_code').join(',\n     ')}
   ) STRICT;
   CREATE INDEX events_by_time ON events (at, id);
   CREATE INDEX events_by_org ON events (org, at, id);
   CREATE INDEX events_by_session ON events (session, at, id);
   CREATE INDEX events_by_model ON events (model, at, id);`,
  // Who may read a stored answer of OpenAI is asked by its id.
  `ALTER TABLE events ADD COLUMN answer_id TEXT;
   CREATE INDEX events_by_stored_answer ON events (answer_id) WHERE answer_id GLOB 'resp_*';`,
  // How far each journal is imported: moved in the transaction that inserts its rows.
  `CREATE TABLE journals (
     name TEXT NOT NULL PRIMARY KEY, position INTEGER NOT NULL, lines INTEGER NOT NULL, stored INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  // Whose prices apply, what it cost, and how it came about.
  addedAfter('answer_id', 'token_headroom'),
  // Sums per quarter, hour and day and group; what older builds stored is added to them in steps.
  `CREATE TABLE rollup_groups (
     id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL
   ) STRICT;
   CREATE TABLE rollups (
     width INTEGER NOT NULL, at INTEGER NOT NULL, group_id INTEGER NOT NULL, cell BLOB NOT NULL,
     PRIMARY KEY (width, at, group_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE ledger_state (name TEXT NOT NULL PRIMARY KEY, value REAL NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO ledger_state SELECT 'fill_end', coalesce(max(rowid), 0) FROM events;
   CREATE TABLE erasures (subject TEXT NOT NULL PRIMARY KEY, before REAL NOT NULL) STRICT, WITHOUT ROWID;`,
]

/**
 * Indexes that are made after the start, one at a time, because each takes a second per million events. Without one
 * a filter is slow and nothing else.
 */
export const laterIndexes: readonly string[] = [
  'key_name',
  'upstream',
  'provider',
  'verdict',
  'cause',
  'status',
  'kind',
].map(
  (column) =>
    `CREATE INDEX IF NOT EXISTS events_by_${column} ON events (${column}, at, id) WHERE ${column} IS NOT NULL`,
)

function addedAfter(before: string, last: string): string {
  const [begin, end] = [before, last].map((column) => eventColumns.findIndex(({ name }) => name === column) + 1)
  const added = eventColumns.slice(begin, end)
  return added.map(({ name, type }) => `ALTER TABLE events ADD COLUMN ${name} ${type};`).join('\n')
}

/** What the first step made: later columns are added by steps of their own. */
function columnsUpTo(last: string): string[] {
  const end = eventColumns.findIndex(({ name }) => name === last) + 1
  return eventColumns.slice(0, end).map(({ name, type }) => `${name} ${type}`)
}

/**
 * Brings a file to the newest schema, in one transaction.
 * @throws SqlError; RangeError when the file has a newer schema than this build knows
 */
export function migrate(database: SqlDatabase): void {
  const version = versionOf(database)
  if (version > migrations.length) {
    throw new RangeError(
      `it has schema version ${version}, this build knows up to ${migrations.length}: use a newer build`,
    )
  }
  if (version === migrations.length) return
  database.transaction(() => {
    // Again, under the lock: another process may have done it meanwhile.
    for (const step of migrations.slice(versionOf(database))) database.exec(step)
    database.exec(`PRAGMA application_id = ${applicationId}`)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function versionOf(database: SqlDatabase): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}
