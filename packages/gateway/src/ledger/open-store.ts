import { maskStoreUrl } from '../config/mask-url.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import { openLedgerFile } from './ledger-file.ts'
import { openPostgres } from './postgres-connection.ts'
import type { SqlConnection } from './sql-connection.ts'
import { sqliteConnection } from './sqlite-connection.ts'

/**
 * Opens the store of a ledger.
 * @throws Error in plain words when it cannot be used
 */
export async function openStore(options: LedgerFileOptions): Promise<SqlConnection> {
  const { url, role } = options
  if (url !== undefined)
    return usable(url, () => openPostgres({ url, role, queryTimeoutMs: options.queryTimeoutMs ?? 60_000 }))
  return sqliteConnection(await openLedgerFile(options))
}

async function usable(url: string, open: () => Promise<SqlConnection>): Promise<SqlConnection> {
  try {
    return await open()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`cannot use the ledger database ${maskStoreUrl(url)}: ${reason}`, { cause: error })
  }
}
