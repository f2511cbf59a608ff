import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../../testing/native-fixture.ts'
import type { StoredPin } from './pin-file.ts'
import { PinFile } from './pin-file.ts'

const folder = temporaryDirectory()
afterAll(() => rmSync(folder, { recursive: true }))

const aPin = (id: string, expiresAt: number, tokens = 70): StoredPin => ({
  id,
  scope: 's',
  tokens: Int32Array.from({ length: tokens }, (_, index) => index * 1_001),
  ttlMs: 300_000,
  refreshes: true,
  pinnedAt: expiresAt - 300_000,
  expiresAt,
  reads: 3,
})

function write(file: PinFile, ...pins: readonly StoredPin[]): void {
  file.save(() => pins)
  file.flush()
}

test('P-8 what was pinned is read as it was written, in order of pinning, for one instance each', () => {
  const [one, two] = [new PinFile(folder, 'one'), new PinFile(folder, 'two')]
  write(one, aPin('first', 400_000), aPin('second', 500_000))
  write(two, aPin('other', 900_000))
  expect(new PinFile(folder, 'one').load()).toEqual([aPin('first', 400_000), aPin('second', 500_000)])
  expect(new PinFile(folder, 'two').load()).toEqual([aPin('other', 900_000)])
  write(one)
  expect(new PinFile(folder, 'one').load()).toEqual([])
})

test('P-7 a file that is damaged, torn, foreign or not there is no pins', () => {
  const file = new PinFile(folder, 'hurt')
  expect(file.load()).toEqual([])
  const before = new Set(readdirSync(folder))
  write(file, aPin('a', 400_000))
  const path = join(folder, readdirSync(folder).find((name) => !before.has(name)) ?? '')
  const whole = readFileSync(path)
  const wrong = [
    ...Array.from({ length: whole.length }, (_, at) => whole.with(at, (whole[at] ?? 0) ^ 4)),
    whole.subarray(0, 40),
    Buffer.alloc(0),
    Buffer.from('somebody else'),
  ]
  for (const bytes of wrong) {
    writeFileSync(path, bytes)
    expect(file.load()).toEqual([])
  }
  writeFileSync(path, whole)
  expect(file.load()).toHaveLength(1)
})

test('of more than fits, what expires last outlives the process', () => {
  const file = new PinFile(folder, 'large')
  const pins = Array.from({ length: 6 }, (_, index) => aPin(`${index}`, 1_000_000 + index, 200_000))
  write(file, ...pins)
  expect(file.load().map(({ id }) => id)).toEqual(['3', '4', '5'])
})
