import { expect, test } from 'vitest'
import { byteSpelling, trainMerges } from './bpe.ts'
import { halfBits } from './half.ts'

test('the most frequent pair is merged first, ties go to the pair seen first', () => {
  expect(trainMerges('ababab cd cd', 9)).toEqual({
    merges: ['a b', 'Ġ c', 'ab ab', 'Ġc d'],
    tokens: ['ab', 'Ġc', 'abab', 'Ġcd'],
  })
})

test('a pair that occurs once is not merged', () => {
  expect(trainMerges('abc', 5).merges).toEqual([])
})

test('each byte has a spelling of its own, and a printable one spells itself', () => {
  expect(new Set(byteSpelling).size).toBe(256)
  expect(byteSpelling[65]).toBe('A')
  expect(byteSpelling[32]).toBe('Ġ')
  expect(byteSpelling[10]).toBe('Ċ')
})

test.each([
  [0, 0x0000],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.1, 0x2e66],
  [65_504, 0x7bff],
  [1e9, 0x7c00],
  [2 ** -24, 0x0001],
  [1e-12, 0x0000],
])('half precision of %d', (value, bits) => {
  expect(halfBits(value)).toBe(bits)
})
