import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerProcess } from '../../benchmarks/support/server-process.ts'
import { startServerProcess } from '../../benchmarks/support/server-process.ts'
import type { LedgerEvent } from '../../packages/gateway/src/ledger/port.ts'
import { openSqliteLedger } from '../../packages/gateway/src/ledger/sqlite-ledger.ts'

/**
 * Starts a gateway over a ledger that holds these events, without the engine.
 * @example const gateway = await startSeeded([anEvent('req_1')], { config: 'keys: [...]' })
 */
export async function startSeeded(
  events: readonly LedgerEvent[],
  more: { readonly config?: string; readonly flags?: readonly string[] } = {},
): Promise<ServerProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'incipit-seeded-'))
  await seed(dataDir, events)
  const config = `engine: { enabled: false }\n${more.config ?? ''}`
  const server = await startServerProcess({
    dataDir,
    config,
    ...(more.flags === undefined ? {} : { flags: more.flags }),
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { ...server, stop }
}

/** Puts events into the ledger of a data directory that no gateway uses now. */
export async function seed(dataDir: string, events: readonly LedgerEvent[]): Promise<void> {
  const ledger = await openSqliteLedger({ file: join(dataDir, 'incipit.db') })
  for (let at = 0; at < events.length; at += 1_000) {
    await Promise.all(events.slice(at, at + 1_000).map((event) => ledger.record(event)))
  }
  await ledger.close()
}

/** An id such as the gateway gives, numbered so that later ones sort behind. */
export function idAt(number: number): string {
  return `req_${number.toString(16).padStart(24, '0')}`
}
