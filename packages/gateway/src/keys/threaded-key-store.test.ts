import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sqlDrivers } from '../ledger/driver.ts'
import type { PgliteServer } from '../ledger/testing/pglite-server.ts'
import { startPglite } from '../ledger/testing/pglite-server.ts'
import { ThreadedKeyStore } from './threaded-key-store.ts'
import { aStoredKey, keyStoreConformance } from './testing/conformance.ts'

keyStoreConformance(`SQLite (${sqlDrivers()[0]})`, async () => {
  const file = newFile()
  return async () => new ThreadedKeyStore({ file })
})

let server: PgliteServer
beforeAll(async () => {
  server = await startPglite()
})
afterAll(() => server.close())

keyStoreConformance('PostgreSQL (PGlite)', async () => {
  await server.database.exec('DROP SCHEMA IF EXISTS incipit CASCADE')
  const { url } = server
  return async () => new ThreadedKeyStore({ file: newFile(), url })
})

test('a database that is away is said to be, without its password, and asked again later', async () => {
  const store = new ThreadedKeyStore({ file: newFile(), url: 'postgres://nobody:s3cret@127.0.0.1:1/none' })
  const said: unknown = await store.changes(0, 1).catch((error: unknown) => error)
  expect(said).toMatchObject({ code: 'unreachable' })
  expect(String(said)).not.toContain('s3cret')
  await expect(store.insert(aStoredKey('web'))).rejects.toMatchObject({ code: 'unreachable' })
  await store.close()
})

test('without a key there is no file; with one it is private and holds no secret', async () => {
  const file = newFile()
  const store = new ThreadedKeyStore({ file })
  expect(await store.changes(0, 10)).toEqual([])
  expect(existsSync(file)).toBe(false)
  await store.insert(aStoredKey('web'))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  await store.close()
  expect(readFileSync(file, 'latin1')).not.toContain('secret of web')
})

test('a file of another program is refused by name and left alone', async () => {
  const file = newFile()
  writeFileSync(file, 'these are no keys, and long enough to be looked at as the header of a database'.repeat(20))
  const store = new ThreadedKeyStore({ file })
  await expect(store.changes(0, 10)).rejects.toThrow(`cannot use the file of virtual keys ${file}`)
  await store.close()
  expect(readFileSync(file, 'utf8')).toContain('these are no keys')
})

test('a file that is deleted while it is in use takes no keys that the next start would not have', async () => {
  const file = newFile()
  const store = new ThreadedKeyStore({ file })
  await store.insert(aStoredKey('web'))
  rmSync(file)
  await expect(store.insert(aStoredKey('lost'))).rejects.toMatchObject({ code: 'gone' })
  // Those that are known stay so.
  expect(await store.changes(0, 10)).toHaveLength(1)
  await store.close()
})

function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'incipit-keys-')), 'keys.db')
}
