import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPglite } from '../../packages/gateway/src/ledger/testing/pglite-server.ts'

/** One store for several gateways. */
export interface SharedStore {
  /** Lines of the configuration of one more gateway, and its data directory. */
  forGateway(): { readonly settings: string; readonly dataDir: string }
  close(): Promise<void>
}

/** @example const store = await aSharedStore('PostgreSQL') */
export async function aSharedStore(kind: string): Promise<SharedStore> {
  const folders: string[] = []
  const folder = (): string => {
    folders.push(mkdtempSync(join(tmpdir(), 'incipit-shared-')))
    return folders.at(-1) ?? ''
  }
  const remove = (): void => folders.forEach((path) => rmSync(path, { recursive: true, force: true }))
  if (kind === 'SQLite') {
    const dataDir = folder()
    return { forGateway: () => ({ settings: '', dataDir }), close: async () => remove() }
  }
  const server = await startPglite()
  return {
    forGateway: () => ({ settings: `store: { url: '${server.url}' }\n`, dataDir: folder() }),
    close: async () => {
      await server.close()
      remove()
    },
  }
}
