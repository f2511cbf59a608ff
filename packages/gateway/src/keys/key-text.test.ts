import { assert, constantFrom, nat, pre, property, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { formOf, keyDigest, keyHint, mintKey } from './key-text.ts'

test('a key is recognisable, whole, and never the same twice', () => {
  const keys = new Set(Array.from({ length: 200 }, () => mintKey()))
  expect(keys.size).toBe(200)
  for (const key of keys) expect([key.length, formOf(key)]).toEqual([53, 'whole'])
})

test('any 256 bits give a key of the same length, the smallest and the largest too', () => {
  assert(
    property(uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      expect(formOf(mintKey(() => bytes))).toBe('whole')
    }),
  )
  expect(formOf(mintKey(() => new Uint8Array(32)))).toBe('whole')
  expect(formOf(mintKey(() => new Uint8Array(32).fill(255)))).toBe('whole')
})

test('a changed, lost or added character is seen without looking the key up', () => {
  const key = mintKey(() => new Uint8Array(32).fill(7))
  assert(
    property(nat({ max: 48 }), constantFrom('0', 'A', 'a', 'z', '9', 'Z'), (index, character) => {
      const at = 4 + index
      pre(key[at] !== character)
      expect(formOf(key.slice(0, at) + character + key.slice(at + 1))).toBe('damaged')
    }),
  )
  expect([formOf(key.slice(0, -1)), formOf(`${key}x`), formOf('inc_'), formOf('sk-1')]).toEqual([
    'damaged',
    'damaged',
    'damaged',
    'other',
  ])
})

test('what is shown and kept of a key does not contain it', () => {
  const key = mintKey()
  expect(keyHint(key)).toBe(`inc_...${key.slice(-4)}`)
  expect(keyDigest(key).toString('hex')).toMatch(/^[0-9a-f]{64}$/)
})
