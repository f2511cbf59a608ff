import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Needle } from './needle.ts'

test('a needle is found where a plain search finds it, from anywhere', () => {
  const text = fc.string({ unit: fc.constantFrom('"', 'e', 'r', 'k', ':', 'é'), maxLength: 40 })
  const needle = fc.string({ unit: fc.constantFrom('"', 'e', 'r', 'k', ':'), minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(text, needle, fc.nat(50), (text, needle, from) => {
      const bytes = Buffer.from(text)
      expect(new Needle(needle).indexIn(bytes, from)).toBe(bytes.indexOf(needle, from))
    }),
    { numRuns: 2_000 },
  )
})
