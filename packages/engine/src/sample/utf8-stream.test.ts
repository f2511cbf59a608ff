import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Utf8Stream } from './utf8-stream.ts'

const whole = new TextDecoder('utf-8', { ignoreBOM: true })

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const text = fc.string({ unit: 'grapheme' }).map((value) => new TextEncoder().encode(`\uFEFF${value}`))
const anyBytes = fc.uint8Array({ maxLength: 24 })
const highBytes = fc.uint8Array({ min: 0x80, max: 0xff, maxLength: 24 })

test('every cutting gives the text of the whole, broken bytes included', () => {
  fc.assert(
    fc.property(fc.oneof(text, anyBytes, highBytes), fc.array(fc.nat()), (bytes, places) => {
      const stream = new Utf8Stream()
      const pieces = cut(bytes, places).map((piece) => stream.push(piece))
      expect(pieces.join('') + stream.end()).toBe(whole.decode(bytes))
      for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u)
    }),
    { numRuns: 2000 },
  )
})

test('a character appears with its last byte, an incomplete one at the end as U+FFFD', () => {
  const stream = new Utf8Stream()
  const [first, second, third] = new TextEncoder().encode('€')
  expect(stream.push(Uint8Array.of(first ?? 0))).toBe('')
  expect(stream.push(Uint8Array.of(second ?? 0))).toBe('')
  expect(stream.push(Uint8Array.of(third ?? 0))).toBe('€')
  expect(stream.push(Uint8Array.of(0x41, 0xf0, 0x9f))).toBe('A')
  expect(stream.end()).toBe('\uFFFD')
  expect(stream.end()).toBe('')
})
