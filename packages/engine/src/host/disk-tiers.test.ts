import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DiskTiers } from './disk-tiers.ts'

test('a cache that cannot be used keeps nobody from serving: its place is a file, or was taken away', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'incipit-disk-tiers-'))
  const tiers = new DiskTiers({ dataDir, bytes: 2 ** 30, models: 1 })
  await expect(tiers.dropOldStores()).resolves.toBeUndefined()
  writeFileSync(join(dataDir, 'kv'), 'a file')
  await expect(tiers.dropOldStores()).resolves.toBeUndefined()
  await tiers.close()
  rmSync(dataDir, { recursive: true })
})
