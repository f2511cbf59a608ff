import { expect, test } from 'vitest'
import { byteSizePattern, formatByteSize, parseByteSize } from './byte-size.ts'

test('byte sizes are read in binary and decimal units', () => {
  const sizes = ['0', '1048576', '2GiB', '512 MiB', '1.5GB', '64K', '10B', '3Ti']
  expect(sizes.map(parseByteSize)).toEqual([0, 1_048_576, 2 ** 31, 2 ** 29, 1_500_000_000, 64_000, 10, 3 * 2 ** 40])
  expect(sizes.every((size) => byteSizePattern.test(size))).toBe(true)
})

test('what is no byte size, or too large to count exactly, is undefined', () => {
  const sizes = ['', 'GiB', '-1', '2 gib', '1e3', '2GiBs', '9999999TiB']
  expect(sizes.map(parseByteSize)).toEqual(sizes.map(() => undefined))
})

test('byte sizes are shown in the largest unit that leaves at least one', () => {
  expect([0, 1023, 1024, 1536, 2 ** 31, 5 * 2 ** 40].map(formatByteSize)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1 KiB',
    '1.5 KiB',
    '2 GiB',
    '5 TiB',
  ])
})
