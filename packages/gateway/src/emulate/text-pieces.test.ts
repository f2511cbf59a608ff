import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { textPieces } from './text-pieces.ts'

test('the pieces together are the text, none is empty, and no character is cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const pieces = textPieces(text)
      expect(pieces.join('')).toBe(text)
      expect(pieces).not.toContain('')
      for (const piece of pieces) expect(Buffer.from(piece).toString()).toBe(piece)
    }),
  )
})
