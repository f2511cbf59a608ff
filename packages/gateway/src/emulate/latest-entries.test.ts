import { expect, test } from 'vitest'
import { LatestEntries } from './latest-entries.ts'

test('the oldest entry is forgotten where there are too many', () => {
  const entries = new LatestEntries<number>(2)
  for (const value of [1, 2, 3]) entries.set(String(value), value)
  expect(['1', '2', '3'].map((key) => entries.get(key))).toEqual([undefined, 2, 3])
  entries.delete('2')
  expect(entries.get('2')).toBeUndefined()
})
