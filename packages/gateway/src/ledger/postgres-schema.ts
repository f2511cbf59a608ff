import { eventColumns } from './event-row.ts'
import type { SqlConnection } from './sql-connection.ts'
import { SqlError } from './sql-error.ts'

/** All tables are in a schema of our own, so that the database may have others. */
export const schemaName = 'incipit'

/** As `migrations` of SQLite: published steps are never edited. */
const steps: readonly string[] = [
  `CREATE TABLE events (${eventColumns.map(({ name, type }) => `${name} ${typeOf(type)}`).join(', ')});
   CREATE INDEX events_by_time ON events (at, id);
   ${['org', 'session', 'model', 'key_name', 'upstream', 'provider', 'verdict', 'cause', 'status', 'kind']
     .map((column) => `CREATE INDEX events_by_${column} ON events (${column}, at, id) WHERE ${column} IS NOT NULL;`)
     .join('\n')}
   CREATE INDEX events_by_stored_answer ON events (answer_id) WHERE answer_id LIKE 'resp\\_%';
   CREATE TABLE journals (
     name text COLLATE "C" PRIMARY KEY, position bigint NOT NULL, lines bigint NOT NULL, stored bigint NOT NULL
   );
   CREATE TABLE rollup_groups (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org text COLLATE "C" NOT NULL,
     hash text COLLATE "C" NOT NULL UNIQUE, name text COLLATE "C" NOT NULL
   );
   CREATE TABLE rollups (
     width bigint NOT NULL, at bigint NOT NULL, group_id bigint NOT NULL, cell bytea NOT NULL,
     PRIMARY KEY (width, at, group_id)
   );
   CREATE TABLE ledger_state (name text COLLATE "C" PRIMARY KEY, value double precision NOT NULL);
   CREATE TABLE erasures (subject text COLLATE "C" PRIMARY KEY, before double precision NOT NULL);`,
]

/**
 * Brings the database to the newest schema. Several gateways may start at once: one does it, the others wait.
 * @throws SqlError `too_new` when a newer build has been here
 */
export async function migratePostgres(connection: SqlConnection): Promise<void> {
  if ((await versionOf(connection)) === steps.length) return
  await connection.transaction(async () => {
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`)
    await connection.run('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)')
    // Again, under the lock: another process may have done it meanwhile.
    const version = await versionOf(connection)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const step of steps.slice(version)) await connection.run(step)
    await connection.run('DELETE FROM schema_version')
    await connection.run('INSERT INTO schema_version (version) VALUES (?)', [steps.length])
  })
}

async function versionOf(connection: SqlConnection): Promise<number> {
  const [table] = await connection.all(`SELECT to_regclass('${schemaName}.schema_version')::text AS name`)
  if ((table?.['name'] ?? null) === null) return 0
  const [row] = await connection.all('SELECT version FROM schema_version')
  const version = Number(row?.['version'] ?? 0)
  if (version <= steps.length) return version
  const message = `it has schema version ${version}, this build knows up to ${steps.length}: use a newer build`
  throw new SqlError('too_new', message)
}

/** The types of SQLite's columns; text sorts by its bytes, as there. */
function typeOf(type: string): string {
  return type.replace('TEXT', 'text COLLATE "C"').replace('INTEGER', 'bigint').replace('REAL', 'double precision')
}
