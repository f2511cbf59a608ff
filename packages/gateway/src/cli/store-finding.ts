import type { LoadedConfig } from '../config/load-config.ts'
import { maskStoreUrl } from '../config/mask-url.ts'
import { openPostgres } from '../ledger/postgres-connection.ts'
import { schemaName } from '../ledger/postgres-schema.ts'
import type { Finding } from './doctor.ts'

const queryTimeoutMs = 5_000

/**
 * Whether the ledger can be stored where `store.url` says. Reads only: tables are made by the gateway that starts.
 * @example await storeFinding(config) // { check: 'store', verdict: 'ok', detail: 'postgres://***@db/ledger, reached' }
 */
export async function storeFinding({ store }: Pick<LoadedConfig, 'store'>): Promise<Finding> {
  if (store.url === null) return { check: 'store', verdict: 'ok', detail: 'SQLite, in the data directory' }
  const place = maskStoreUrl(store.url)
  try {
    const why = await whyRefused(store.url)
    if (why === undefined) return { check: 'store', verdict: 'ok', detail: `${place} reached` }
    return { check: 'store', verdict: 'failed', detail: `${place}: ${why}` }
  } catch (error) {
    return { check: 'store', verdict: 'failed', detail: `${place}: ${(error as Error).message}` }
  }
}

/** @throws SqlError when the database is away, or refuses the user */
async function whyRefused(url: string): Promise<string | undefined> {
  const connection = await openPostgres({ url, role: 'reader', queryTimeoutMs })
  try {
    const [row] = await connection.all(
      `SELECT (CASE WHEN to_regnamespace('${schemaName}') IS NULL
         THEN has_database_privilege(current_database(), 'CREATE')
         ELSE pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = '${schemaName}'), 'USAGE') END)::int AS allowed`,
    )
    if (row?.['allowed'] === 1) return undefined
    return `the role must own the schema "${schemaName}", or be allowed to create it`
  } finally {
    await connection.close()
  }
}
