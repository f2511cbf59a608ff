import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { watchConfig } from './watch-config.ts'

let folder: string
let file: string
let told: number
let watcher: { close(): void } | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incipit-watch-'))
  file = join(folder, 'incipit.yaml')
  told = 0
})

afterEach(async () => {
  watcher?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Waits until it has told of the file as it is. */
async function begin(path: string = file): Promise<void> {
  watcher = watchConfig({ file: path, debounceMs: 20, pollMs: 50, onChange: () => void (told += 1) })
  await expect.poll(() => told).toBe(1)
}

test('a file that is written, replaced, removed and created again is told of each time', async () => {
  await writeFile(file, 'a')
  await begin()
  await writeFile(file, 'b')
  await expect.poll(() => told).toBe(2)
  await writeFile(join(folder, 'next'), 'c')
  await rename(join(folder, 'next'), file)
  await expect.poll(() => told).toBe(3)
  await rm(file)
  await expect.poll(() => told).toBe(4)
  await writeFile(file, 'd')
  await expect.poll(() => told).toBe(5)
})

test('a symlink that is swapped further up is another file, though its folder says nothing', async () => {
  for (const version of ['v1', 'v2']) {
    await mkdir(join(folder, version))
    await writeFile(join(folder, version, 'incipit.yaml'), version)
  }
  await mkdir(join(folder, 'mount'))
  await symlink('../v1', join(folder, 'mount', 'data'))
  await symlink('mount/data/incipit.yaml', file)
  await begin()
  await symlink('../v2', join(folder, 'mount', 'next'))
  await rename(join(folder, 'mount', 'next'), join(folder, 'mount', 'data'))
  await expect.poll(() => told).toBe(2)
})

test('several writes in a row are told of once, and other files of the folder not at all', async () => {
  await writeFile(file, 'a')
  watcher = watchConfig({ file, debounceMs: 300, pollMs: 5000, onChange: () => void (told += 1) })
  await expect.poll(() => told).toBe(1)
  for (const text of ['b', 'bb', 'bbb']) await writeFile(file, text)
  await writeFile(join(folder, 'other'), 'x')
  await expect.poll(() => told).toBe(2)
  const marker = join(folder, 'marker')
  let marked = 0
  const other = watchConfig({ file: marker, debounceMs: 600, pollMs: 5000, onChange: () => void (marked += 1) })
  await expect.poll(() => marked).toBe(1)
  await writeFile(marker, 'x')
  await expect.poll(() => marked).toBe(2)
  other.close()
  expect(told).toBe(2)
})

test('a folder that cannot be watched is looked at all the same', async () => {
  const late = join(folder, 'later', 'incipit.yaml')
  await begin(late)
  await mkdir(join(folder, 'later'))
  await writeFile(late, 'a')
  await expect.poll(() => told).toBe(2)
})

test('a folder in which something is written all the time hides no change', async () => {
  await writeFile(file, 'a')
  watcher = watchConfig({ file, debounceMs: 100, pollMs: 60_000, onChange: () => void (told += 1) })
  await expect.poll(() => told).toBe(1)
  const noise = setInterval(() => void writeFile(join(folder, 'noise'), String(performance.now())), 10)
  await writeFile(file, 'b')
  await expect
    .poll(() => told)
    .toBe(2)
    .finally(() => clearInterval(noise))
})

test('what belongs to the file is watched as well, wherever it is, as it is named at the time', async () => {
  await writeFile(file, 'a')
  const elsewhere = await mkdtemp(join(tmpdir(), 'incipit-watch-'))
  const first = join(elsewhere, 'first.yaml')
  const second = join(elsewhere, 'second.yaml')
  await Promise.all([writeFile(first, '1'), writeFile(second, '1')])
  let others = [first]
  const onChange = (): void => void (told += 1)
  watcher = watchConfig({ file, others: () => others, debounceMs: 20, pollMs: 50, onChange })
  await expect.poll(() => told).toBe(1)
  await writeFile(first, '22')
  await expect.poll(() => told).toBe(2)
  others = [second]
  await expect.poll(() => told).toBe(3)
  await writeFile(second, '333')
  await expect.poll(() => told).toBe(4)
  await rm(elsewhere, { recursive: true })
})
