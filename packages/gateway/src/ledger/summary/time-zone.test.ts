import { expect, test } from 'vitest'
import { TimeZone } from './time-zone.ts'

const change = Date.UTC(2026, 9, 25, 1)

test.each([
  [change - 1_000, change + 1_000],
  [change - 1_000.5, change + 0.5],
  [change - 0.5, change + 1.5],
  [change - 1, change],
])('a change of the clocks between %d and %d is found to the millisecond', (since, until) => {
  expect(new TimeZone('Europe/Berlin').changeBetween(since, until)).toBe(change)
})

test('without a change there is none', () => {
  expect(new TimeZone('Europe/Berlin').changeBetween(change, change + 1_000.5)).toBeUndefined()
})
