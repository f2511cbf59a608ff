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
]

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
