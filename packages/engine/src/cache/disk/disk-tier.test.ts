import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { blockKeys, blockTokens } from '../block-key.ts'
import { aUse } from '../../testing/chain-use.ts'
import { folderOf } from './disk-format.ts'
import { DiskTier } from './disk-tier.ts'
import { headerBytes } from './slot-header.ts'

const identity = { modelHash: 'a'.repeat(64), stateFormat: 'test' }
const stateBytes = 4_096
const open: DiskTier[] = []
const folders: string[] = []
let clock = 1_000

afterEach(async () => {
  for (const tier of open.splice(0)) await tier.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'incipit-disk-'))
  folders.push(folder)
  return folder
}

async function openTier(directory: string, blocks = 100, over = identity): Promise<DiskTier> {
  const capacityBytes = blocks * (stateBytes + headerBytes)
  const tier = await DiskTier.open({ ...over, directory, capacityBytes, now: () => clock++ })
  if (typeof tier === 'string') throw new Error(tier)
  open.push(tier)
  return tier
}

async function closeTier(tier: DiskTier): Promise<void> {
  open.splice(open.indexOf(tier), 1)
  await tier.close()
}

/** A prefix of `blocks` blocks; equal seeds begin alike. */
function chain(
  seed: number,
  blocks: number,
  scope = 'scope',
): { scope: string; tokens: Int32Array; keys: readonly string[] } {
  const tokens = Int32Array.from({ length: blocks * blockTokens }, (_, index) => seed * 1_000 + index)
  return { scope, tokens, keys: blockKeys({ ...identity, scope }, tokens) }
}

/** The state that stands for a block: other bytes for every key. */
function stateOf(key: string): Uint8Array {
  const seed = Buffer.from(key, 'hex')
  return Uint8Array.from({ length: stateBytes }, (_, index) => (seed[index % 32] ?? 0) ^ index)
}

/** A request of a prefix, and what it leaves behind. */
async function write(tier: DiskTier, prefix: ReturnType<typeof chain>): Promise<void> {
  tier.use(aUse(prefix.keys))
  tier.writeLater({ ...prefix, stateOf: (block) => stateOf(prefix.keys[block] ?? '') })
  await tier.flush(10_000)
}

/** Whether a block can be read. @throws Error where what is read is not what was written */
function read(tier: DiskTier, key: string): boolean {
  const target = new Uint8Array(stateBytes)
  const found = tier.read(key, target)
  if (found && !Buffer.from(target).equals(stateOf(key))) throw new Error(`another state than that of ${key}`)
  return found
}

test('P-8 what was written is there after a restart, byte for byte', async () => {
  const directory = aFolder()
  const first = await openTier(directory)
  const [long, short] = [chain(1, 5), chain(2, 2, 'other')]
  await write(first, long)
  await write(first, short)
  await closeTier(first)
  const again = await openTier(directory)
  expect(again.counters).toMatchObject({ restored: 7, discarded: 0 })
  for (const key of [...long.keys, ...short.keys]) expect(read(again, key)).toBe(true)
  expect(again.blocks).toBe(7)
})

test('P-8 a tier that was never closed is whole: a killed process loses what it was writing, and nothing else', async () => {
  const directory = aFolder()
  const first = await openTier(directory)
  await write(first, chain(1, 3))
  // The files as a killed process leaves them, in a folder of their own.
  const copy = aFolder()
  for (const file of ['states', 'headers', 'format.json']) copyInto(directory, copy, file)
  const again = await openTier(copy)
  expect(again.counters).toMatchObject({ restored: 3, discarded: 0 })
})

test('damaged, torn and foreign blocks are dropped and counted, never used, and what hangs on them goes too', async () => {
  const directory = aFolder()
  const first = await openTier(directory)
  const prefix = chain(1, 6)
  await write(first, prefix)
  await closeTier(first)
  const folder = join(directory, folderOf(identity))
  flip(join(folder, 'states'), 1 * stateBytes + 100)
  const tier = await openTier(directory)
  expect(read(tier, prefix.keys[0] ?? '')).toBe(true)
  expect(read(tier, prefix.keys[1] ?? '')).toBe(false)
  expect(prefix.keys.map((key) => tier.has(key))).toEqual([true, false, false, false, false, false])
  expect(tier.counters.discarded).toBe(1)
  await write(tier, prefix)
  await closeTier(tier)

  flip(join(folder, 'headers'), 2 * headerBytes + 60)
  const second = await openTier(directory)
  expect(second.counters.discarded).toBeGreaterThan(0)
  expect(second.counters.restored + second.counters.discarded).toBe(6)
  await write(second, prefix)
  await closeTier(second)

  truncateSync(join(folder, 'states'), 3 * stateBytes + 10)
  const third = await openTier(directory)
  const found = prefix.keys.map((key) => read(third, key))
  expect(found).toContain(false)
  // Nothing is there without what comes before it.
  expect(found).toEqual(found.toSorted((left, right) => Number(right) - Number(left)))
  await closeTier(third)

  writeFileSync(join(folder, 'headers'), Buffer.alloc(10 * headerBytes, 'somebody else'))
  const fourth = await openTier(directory)
  expect(fourth.counters).toMatchObject({ restored: 0, discarded: 10 })
  await closeTier(fourth)

  writeFileSync(join(folder, 'format.json'), 'not JSON')
  const fifth = await openTier(directory)
  expect(fifth.blocks).toBe(0)
  await write(fifth, prefix)
  expect(prefix.keys.every((key) => read(fifth, key))).toBe(true)
})

test('F-1 the budget holds, and the least recently used goes first, children before parents', async () => {
  const directory = aFolder()
  const tier = await openTier(directory, 6)
  const [one, two, three] = [chain(1, 3), chain(2, 3), chain(3, 2)]
  await write(tier, one)
  await write(tier, two)
  tier.use(aUse(one.keys))
  await write(tier, three)
  expect(tier.blocks).toBe(6)
  expect(one.keys.every((key) => tier.has(key))).toBe(true)
  expect(two.keys.map((key) => tier.has(key))).toEqual([true, false, false])
  await closeTier(tier)
  const smaller = await openTier(directory, 4)
  expect(smaller.blocks).toBeLessThanOrEqual(4)
  const bytes = statSync(join(directory, folderOf(identity), 'states')).size
  expect(bytes).toBeLessThanOrEqual(4 * stateBytes)
})

test('the order of use outlives a restart', async () => {
  const directory = aFolder()
  const tier = await openTier(directory, 4)
  const [one, two] = [chain(1, 2), chain(2, 2)]
  await write(tier, one)
  await write(tier, two)
  tier.use(aUse(one.keys))
  await closeTier(tier)
  const again = await openTier(directory, 4)
  await write(again, chain(3, 1))
  expect([...one.keys, ...two.keys].map((key) => again.has(key))).toEqual([true, true, true, false])
})

test('F-3 F-4 a reset drops the chosen scopes, also what is being written, and they do not come back', async () => {
  const directory = aFolder()
  const tier = await openTier(directory)
  const [mine, yours, late] = [chain(1, 3, 'aa1'), chain(1, 3, 'bb1'), chain(7, 3, 'aa2')]
  await write(tier, mine)
  await write(tier, yours)
  tier.writeLater({ ...late, stateOf: (block) => stateOf(late.keys[block] ?? '') })
  expect(tier.reset('aa')).toEqual({ blocks: 3, bytes: 3 * (stateBytes + headerBytes) })
  await tier.flush(10_000)
  expect(tier.blocks).toBe(3)
  await closeTier(tier)
  const again = await openTier(directory)
  expect([mine, yours, late].map(({ keys }) => keys.map((key) => again.has(key)))).toEqual([
    [false, false, false],
    [true, true, true],
    [false, false, false],
  ])
})

test('one process at a time: a second one is told, and gets the blocks when the first has ended', async () => {
  const directory = aFolder()
  const first = await openTier(directory)
  const options = { ...identity, directory, capacityBytes: 2 ** 20, now: () => clock++ }
  expect(await DiskTier.open(options)).toContain('in use by another process')
  await closeTier(first)
  await openTier(directory)
})

test('a link in the place of a file is not followed: the reason is told, and nothing is written through it', async () => {
  const directory = aFolder()
  const precious = join(directory, 'precious')
  writeFileSync(precious, 'kept')
  const store = join(directory, folderOf(identity))
  mkdirSync(store)
  symlinkSync(precious, join(store, 'states'))
  await expect(openTier(directory)).rejects.toThrow(`${join(store, 'states')} is no plain file`)
  expect(readFileSync(precious, 'utf8')).toBe('kept')
})

test('P-5 another model, or another form of state, is another store', async () => {
  const directory = aFolder()
  await write(await openTier(directory), chain(1, 2))
  expect((await openTier(directory, 100, { ...identity, modelHash: 'b'.repeat(64) })).blocks).toBe(0)
  expect((await openTier(directory, 100, { ...identity, stateFormat: 'other' })).blocks).toBe(0)
})

test('random writes, uses, resets and restarts: what is read is what was written, and the budget holds', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      seed: fc.nat(5),
      blocks: fc.integer({ min: 1, max: 4 }),
      scope: fc.constantFrom('a', 'b'),
    }),
    fc.record({
      kind: fc.constant('touch' as const),
      seed: fc.nat(5),
      blocks: fc.integer({ min: 1, max: 4 }),
      scope: fc.constantFrom('a', 'b'),
    }),
    fc.record({ kind: fc.constant('reset' as const), scope: fc.constantFrom('a', 'b') }),
    fc.record({ kind: fc.constant('restart' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const directory = aFolder()
      let tier = await openTier(directory, 10)
      const known = new Map<string, string | undefined>()
      const restarts: number[][] = []
      const kept: string[] = []
      for (const one of steps) {
        if (one.kind === 'restart') {
          const before = tier.blocks
          await closeTier(tier)
          tier = await openTier(directory, 10)
          restarts.push([tier.blocks - before, tier.counters.discarded])
        } else if (one.kind === 'reset') {
          tier.reset(one.scope)
          for (const seed of [0, 1, 2, 3, 4, 5])
            kept.push(...chain(seed, 4, one.scope).keys.filter((key) => tier.has(key)))
        } else {
          const prefix = chain(one.seed, one.blocks, one.scope)
          prefix.keys.forEach((key, index) => known.set(key, prefix.keys[index - 1]))
          if (one.kind === 'write') await write(tier, prefix)
          else tier.use(aUse(prefix.keys))
        }
        expect(tier.blocks).toBeLessThanOrEqual(10)
        const there = [...known].filter(([key]) => tier.has(key))
        expect(
          there.filter(([key, parent]) => !read(tier, key) || (parent !== undefined && !tier.has(parent))),
        ).toEqual([])
      }
      await closeTier(tier)
      expect(kept).toEqual([])
      expect(restarts.flat().filter((difference) => difference !== 0)).toEqual([])
    }),
    { numRuns: 25 },
  )
})

function copyInto(directory: string, copy: string, file: string): void {
  const folder = folderOf(identity)
  mkdirSync(join(copy, folder), { recursive: true })
  writeFileSync(join(copy, folder, file), readFileSync(join(directory, folder, file)))
}

/** Changes one bit of a file. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
