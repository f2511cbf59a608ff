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
     ${eventColumns.map(({ name, type }) => `${name} ${type}`).join(',\n     ')}
   ) STRICT;
   CREATE INDEX events_by_time ON events (at, id);
   CREATE INDEX events_by_org ON events (org, at, id);
   CREATE INDEX events_by_session ON events (session, at, id);
   CREATE INDEX events_by_model ON events (model, at, id);`,
]

/**
 * Brings a file to the newest schema, in one transaction.
 * @throws SqlError; RangeError when the file has a newer schema than this build knows
 */
export function migrate(database: SqlDatabase): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > migrations.length) {
    throw new RangeError(
      `it has schema version ${version}, this build knows up to ${migrations.length}: use a newer build`,
    )
  }
  if (version === migrations.length) return
  database.transaction(() => {
    for (const step of migrations.slice(version)) database.exec(step)
    database.exec(`PRAGMA application_id = ${applicationId}`)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}
