import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenShapes } from './token-shapes.ts'

const texts = ['a', 'é', '👍', '"', '\u0000', '\ud7ff', '\ue000', '\u{10ffff}']
const tokens = [
  ...texts.map((text) => [...Buffer.from(text)]),
  [],
  [],
  ...Array.from({ length: 256 }, (_, byte) => [byte]),
]
const shapes = new TokenShapes(
  tokens.length,
  (token) => Uint8Array.from(tokens[token] ?? []),
  (token) => token === texts.length,
)

test('tokens without text are kept out, but for those that end an answer', () => {
  expect([...shapes.empty]).toEqual([texts.length + 1])
  expect(shapes.shape(texts.length)).toBe('whole')
  expect(texts.map((_, token) => shapes.shape(token))).toEqual(texts.map(() => 'whole'))
  expect([...shapes.parts].length).toBe(128)
})

test('bytes go on as long as they are the beginning of UTF-8, cut anywhere', () => {
  const decoder = (bytes: readonly number[]): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes), { stream: true })
      return true
    } catch {
      return false
    }
  }
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x80, 0x9f, 0xa0, 0xbf))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 8 }), (bytes) => {
      let state: number | undefined = 0
      for (const [index, one] of bytes.entries()) {
        state = shapes.after(state, texts.length + 2 + one)
        expect([bytes.slice(0, index + 1), state !== undefined]).toEqual([
          bytes.slice(0, index + 1),
          decoder(bytes.slice(0, index + 1)),
        ])
        if (state === undefined) return
      }
    }),
    { numRuns: 2_000 },
  )
})
