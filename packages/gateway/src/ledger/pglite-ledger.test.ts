import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Ledger } from './port.ts'
import { openSqliteLedger } from './sqlite-ledger.ts'
import { ledgerConformance } from './testing/conformance.ts'
import type { PgliteServer } from './testing/pglite-server.ts'
import { startPglite } from './testing/pglite-server.ts'

let folder = ''
let server: PgliteServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'incipit-pglite-'))
  server = await startPglite()
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

async function emptyLedger(): Promise<Ledger> {
  await server.database.exec('DROP SCHEMA IF EXISTS incipit CASCADE')
  return openSqliteLedger({ file: join(folder, 'rows'), url: server.url })
}

ledgerConformance('pglite', emptyLedger)
