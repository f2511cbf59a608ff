import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenSequence } from './token-sequence.ts'

const parts = fc.array(
  fc.tuple(fc.constantFrom('text', 'image', 'tool'), fc.string({ unit: 'binary', maxLength: 40 })),
  { maxLength: 6 },
)

function sequenceOf(items: readonly (readonly [string, string])[]): TokenSequence {
  const sequence = new TokenSequence()
  for (const [label, text] of items) {
    if (label === 'image') sequence.addWhole(label, text, 7)
    else sequence.add(label, text)
  }
  return sequence
}

test('the hashes of several positions are those of each position alone', () => {
  fc.assert(
    fc.property(parts, (items) => {
      const sequence = sequenceOf(items)
      const positions = Array.from({ length: sequence.length }, (_, index) => index + 1)
      const together = sequence.hashes('seed', positions)
      expect(together).toEqual(positions.map((position) => sequence.hashes('seed', [position])[0]))
      expect(new Set(together).size).toBe(together.length)
    }),
  )
})

test('what is appended changes no hash before it', () => {
  fc.assert(
    fc.property(parts, parts, (items, more) => {
      const short = sequenceOf(items)
      const long = sequenceOf([...items, ...more])
      const positions = Array.from({ length: short.length }, (_, index) => index + 1)
      expect(long.hashes('seed', positions)).toEqual(short.hashes('seed', positions))
    }),
  )
})

test('one differing byte changes every hash from its token on, and none before', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 80 }), fc.nat(), (text, at) => {
      const index = at % text.length
      const other = `${text.slice(0, index)}x${text.slice(index + 1)}`
      const [before, after] = [sequenceOf([['text', text]]), sequenceOf([['text', other]])]
      const positions = Array.from({ length: before.length }, (_, index) => index + 1)
      const equal = before
        .hashes('s', positions)
        .map((hash, position) => hash === after.hashes('s', positions)[position])
      expect(equal).toEqual(positions.map((position) => position * 4 <= index))
    }),
  )
})

test('another seed, another label, another cut between parts: another hash', () => {
  const hash = (items: readonly (readonly [string, string])[], seed: string = 's'): string =>
    sequenceOf(items).hash(seed)
  const first = hash([['text', 'abcdefgh']])
  expect(hash([['text', 'abcdefgh']])).toBe(first)
  expect(hash([['text', 'abcdefgh']], 't')).not.toBe(first)
  expect(hash([['tool', 'abcdefgh']])).not.toBe(first)
  expect(
    hash([
      ['text', 'abcd'],
      ['text', 'efgh'],
    ]),
  ).not.toBe(first)
})
