import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ttftBinOf, ttftBins, ttftOfBin } from './ttft-bins.ts'

test('M-3 a bin stands for every time in it within 3.2 %, from a sixteenth of a millisecond to 18 hours', () => {
  const ms = fc.double({ min: 1 / 16, max: 2 ** 26 - 1, noNaN: true })
  fc.assert(
    fc.property(ms, (ms) => Math.abs(ttftOfBin(ttftBinOf(ms)) - ms) / ms < 0.032),
    { numRuns: 2_000 },
  )
  const powers = Array.from({ length: 30 }, (_, index) => 2 ** (index - 4))
  for (const power of powers) {
    expect(Math.abs(ttftOfBin(ttftBinOf(power)) - power) / power).toBeLessThan(0.032)
    expect(ttftBinOf(power * (1 - 2 ** -52))).toBe(Math.max(0, ttftBinOf(power) - 1))
  }
})

test('longer times are in no earlier bin, and all are in one of them', () => {
  const any = fc.double({ noNaN: true })
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [shorter, longer] = [ttftBinOf(Math.min(a, b)), ttftBinOf(Math.max(a, b))]
      expect(shorter).toBeGreaterThanOrEqual(0)
      expect(longer).toBeGreaterThanOrEqual(shorter)
      expect(longer).toBeLessThan(ttftBins)
    }),
  )
})
