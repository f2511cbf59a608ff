import { epochMs } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { retryAfterMs, retryDelayMs } from './retry-delay.ts'

const now = epochMs(Date.UTC(2026, 10, 20, 12, 0, 0))

test('the delay doubles from a quarter of a second up to four, of which at least half is taken', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((tries) => retryDelayMs(tries, () => 1))).toEqual([
    250, 500, 1_000, 2_000, 4_000, 4_000, 4_000,
  ])
  expect([1, 2, 5].map((tries) => retryDelayMs(tries, () => 0))).toEqual([125, 250, 2_000])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (tries, random) => {
      const delay = retryDelayMs(tries, () => random)
      expect(delay).toBeGreaterThanOrEqual(125)
      expect(delay).toBeLessThanOrEqual(4_000)
    }),
  )
})

test.each([
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '0.25' }, 250],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': 'Fri, 20 Nov 2026 12:00:07 GMT' }, 7_000],
  [{ 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after-ms': '130', 'retry-after': '9' }, 130],
  [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
  [{ 'retry-after-ms': '-5' }, undefined],
  [{ 'retry-after': 'later' }, undefined],
  [{}, undefined],
])('%j asks for %s ms', (headers, expected) => {
  expect(retryAfterMs(headers, now)).toBe(expected)
})
