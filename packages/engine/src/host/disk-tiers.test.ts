import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CheckpointFiles } from '../cache/checkpoint/checkpoint-files.ts'
import { folderOf } from '../cache/disk/disk-format.ts'
import { lockFile } from '../cache/disk/file-lock.ts'
import { DiskTiers } from './disk-tiers.ts'

const kibibyte = 1_024
let dataDir: string
const tiers: DiskTiers[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'incipit-disk-tiers-'))
})
afterEach(async () => {
  for (const each of tiers.splice(0)) await each.close()
  rmSync(dataDir, { recursive: true })
})

function diskTiers(bytes: number): DiskTiers {
  const made = new DiskTiers({ dataDir, bytes, models: 1 })
  tiers.push(made)
  return made
}

/** What another model left behind, last used so many seconds after the first day of 2026. */
function leave(
  folder: string,
  options: { readonly bytes: number; readonly usedAt: number; readonly file?: string },
): void {
  const directory = join(dataDir, 'kv', folder)
  mkdirSync(directory, { recursive: true })
  const path = join(directory, options.file ?? 'states')
  writeFileSync(path, Buffer.alloc(options.bytes, 1))
  const at = 1_767_225_600 + options.usedAt
  utimesSync(path, at, at)
}

function left(): string[] {
  return readdirSync(join(dataDir, 'kv')).sort()
}

const blocks = (letter: string): string => letter.repeat(16)
const states = (letter: string): string => `${letter.repeat(16)}-states`
const checkpoint = `${'c'.repeat(64)}.checkpoint`

test('a cache that cannot be used keeps nobody from serving: its place is a file, or was taken away', async () => {
  const made = diskTiers(2 ** 30)
  await expect(made.findOtherStores()).resolves.toBeUndefined()
  writeFileSync(join(dataDir, 'kv'), 'a file')
  await expect(made.findOtherStores()).resolves.toBeUndefined()
})

test('F-1 stores of models that are not served count, whole states too: the one used longest ago goes first, until all fit', async () => {
  leave(blocks('a'), { bytes: 100 * kibibyte, usedAt: 2 })
  leave(states('b'), { bytes: 100 * kibibyte, usedAt: 1, file: checkpoint })
  leave(states('a'), { bytes: 100 * kibibyte, usedAt: 3, file: checkpoint })
  const made = diskTiers(250 * kibibyte)
  await made.findOtherStores()
  expect(left()).toEqual([blocks('a'), states('a')])
  expect(made.otherStores).toEqual({ stores: 2, bytes: 200 * kibibyte, dropped: 1, droppedBytes: 100 * kibibyte })
})

test('F-1 they stay while there is room, and give way when a store that is served grows', async () => {
  leave(blocks('a'), { bytes: 100 * kibibyte, usedAt: 1 })
  leave(states('b'), { bytes: 100 * kibibyte, usedAt: 2, file: checkpoint })
  const made = diskTiers(300 * kibibyte)
  const files = made.checkpointsOf({ modelHash: 'served', stateFormat: 'f' }, 1)
  if (typeof files === 'string') throw new Error(files)
  await made.findOtherStores()
  expect(made.otherStores.stores).toBe(2)
  const grow = async (key: string): Promise<void> => {
    const state = new Uint8Array(80 * kibibyte)
    files.writeLater({ key: key.repeat(64), scope: 's', tokens: Int32Array.of(1, 2), state })
    await files.flush(10_000)
  }
  await grow('1')
  expect(made.otherStores).toMatchObject({ stores: 2, dropped: 0 })
  await grow('2')
  expect(made.otherStores).toMatchObject({ stores: 1, dropped: 1 })
  await grow('3')
  await grow('4')
  expect(made.otherStores).toMatchObject({ stores: 0, dropped: 2, bytes: 0 })
  // Its own bound is kept to as well.
  expect(files.bytes).toBeLessThanOrEqual(300 * kibibyte)
  expect(left()).toEqual([`${folderOf({ modelHash: 'served', stateFormat: 'f' })}-states`])
})

test('F-1 nothing else in the folder is touched, and no store that another process has open', async () => {
  leave(blocks('a'), { bytes: 100 * kibibyte, usedAt: 1 })
  writeFileSync(join(dataDir, 'kv', blocks('a'), 'notes.txt'), 'mine')
  leave(blocks('b'), { bytes: 100 * kibibyte, usedAt: 2 })
  leave(blocks('d'), { bytes: 100 * kibibyte, usedAt: 3, file: 'something-else' })
  leave('notes', { bytes: 100 * kibibyte, usedAt: 0, file: 'states' })
  const lock = lockFile(join(dataDir, 'kv', blocks('b'), 'lock'))
  const made = diskTiers(10 * kibibyte)
  await made.findOtherStores()
  expect(left()).toEqual([blocks('a'), blocks('b'), blocks('d'), 'notes'])
  expect(readdirSync(join(dataDir, 'kv', blocks('a')))).toEqual(['notes.txt'])
  expect(existsSync(join(dataDir, 'kv', blocks('b'), 'states'))).toBe(true)
  expect(made.otherStores).toMatchObject({ stores: 0, dropped: 1 })
  lock?.release()
})

test('F-1 files in a folder of states that are no checkpoints stay', () => {
  const directory = join(dataDir, 'states')
  mkdirSync(directory)
  writeFileSync(join(directory, 'notes.txt'), 'mine')
  writeFileSync(join(directory, `${checkpoint}.part`), 'unfinished')
  const files = CheckpointFiles.open(directory, 10)
  if (typeof files === 'string') throw new Error(files)
  expect(readdirSync(directory).sort()).toEqual(['lock', 'notes.txt'])
})
