import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSecret } from './secret.ts'

let dataDir: string

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'incipit-secret-')), 'data')
})

afterEach(() => rm(join(dataDir, '..'), { recursive: true, force: true }))

test('F-3 the secret is created once, readable by its owner only, and the same for all who start at once', async () => {
  const secrets = await Promise.all(Array.from({ length: 8 }, () => loadSecret({ secret: undefined, dataDir })))
  const [first] = secrets
  expect(secrets.every((secret) => Buffer.compare(secret, first ?? Buffer.alloc(0)) === 0)).toBe(true)
  expect(await readFile(join(dataDir, 'secret'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  expect((await stat(join(dataDir, 'secret'))).mode & 0o777).toBe(0o600)
  expect(await readdir(dataDir)).toEqual(['secret'])
})

test('the text of the file, configured elsewhere, is the same secret, and then no file is made', async () => {
  const created = await loadSecret({ secret: undefined, dataDir })
  const text = (await readFile(join(dataDir, 'secret'), 'utf8')).trim()
  await rm(dataDir, { recursive: true })
  expect(await loadSecret({ secret: text, dataDir })).toEqual(created)
  await expect(stat(dataDir)).rejects.toThrow('ENOENT')
})

test('a file that holds no secret is refused, not replaced', async () => {
  await loadSecret({ secret: undefined, dataDir })
  await writeFile(join(dataDir, 'secret'), 'short\n')
  await expect(loadSecret({ secret: undefined, dataDir })).rejects.toThrow('holds 5 characters, at least 16 are needed')
})
