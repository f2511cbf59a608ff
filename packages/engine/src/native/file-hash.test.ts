import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileHash } from './file-hash.ts'

const large = 65 * 1024 * 1024

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'incipit-hash-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function records(): string[] {
  const folder = join(directory, 'model-hashes')
  return readdirSync(folder).map((name) => join(folder, name))
}

test('a small file is hashed every time', () => {
  const path = join(directory, 'small')
  writeFileSync(path, 'abc')
  expect(fileHash(path, directory)).toBe(createHash('sha256').update('abc').digest('hex'))
  expect(() => records()).toThrow('ENOENT')
})

test('P-5 the hash of a large file is remembered until the file changes', () => {
  const path = join(directory, 'large')
  writeFileSync(path, 'abc')
  truncateSync(path, large)
  const hash = fileHash(path, directory)
  expect(hash).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'))
  const [record = ''] = records()
  const remembered = hash.replaceAll(/./g, '0')
  writeFileSync(record, readFileSync(record, 'utf8').replace(hash, remembered))
  expect(fileHash(path, directory)).toBe(remembered)
  utimesSync(path, 1, 1)
  expect(fileHash(path, directory)).toBe(hash)
  writeFileSync(record, 'damaged')
  expect(fileHash(path, directory)).toBe(hash)
})
