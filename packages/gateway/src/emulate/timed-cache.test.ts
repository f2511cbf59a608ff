import { expect, test } from 'vitest'
import { TimedCache } from './timed-cache.ts'

const entry = (key: string, more: object = {}): { key: string; scope: string; tokens: number; ttlMs: number } => ({
  key,
  scope: 's',
  tokens: 1,
  ttlMs: 10,
  ...more,
})

test('an entry is gone at the end of its time, to the millisecond, and looking does not refresh it', () => {
  const cache = new TimedCache()
  cache.write(entry('a'), 0)
  expect(cache.find('a', 9)?.tokens).toBe(1)
  expect(cache.find('a', 10)).toBeUndefined()
  expect(cache.entries(0)).toEqual([])
})

test('a refresh begins the time anew, never beyond the whole life, and never shortens it', () => {
  const cache = new TimedCache()
  cache.write(entry('a', { lifeMs: 15 }), 0)
  const found = cache.entries(0)[0]
  if (found === undefined) throw new Error('the entry is missing')
  cache.refresh(found, 9)
  expect(found.expiresAt).toBe(15)
  cache.refresh(found, 1)
  expect(found.expiresAt).toBe(15)
})

test('P-7 F-1 where there are too many, the longest unused goes first', () => {
  const cache = new TimedCache(2)
  cache.write(entry('a'), 0)
  cache.write(entry('b'), 0)
  const [oldest] = cache.entries(0)
  if (oldest !== undefined) cache.refresh(oldest, 1)
  cache.write(entry('c'), 1)
  expect(cache.entries(1).map(({ key }) => key)).toEqual(['a', 'c'])
})
