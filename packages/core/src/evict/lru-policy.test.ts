import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheSimulation } from '../simulate/simulate-cache.ts'
import { LruPolicy } from './lru-policy.ts'
import { arbitraryPaths, chained, testBlock } from './testing/chains.ts'
import { NaiveLru } from './testing/naive-lru.ts'

test('F-1 LRU equals a naive list under random requests', () => {
  fc.assert(
    fc.property(arbitraryPaths, fc.integer({ min: 1, max: 12 }), (paths, capacityBlocks) => {
      const naive = new NaiveLru(capacityBlocks)
      const cache = new CacheSimulation({ policy: new LruPolicy(), capacityBlocks, block: testBlock })
      for (const request of chained(paths)) {
        expect(cache.request(request)).toBe(naive.request([...request.chain]) * testBlock)
        expect(cache.size).toBe(naive.held.length)
        for (const block of naive.held) expect(cache.has(block)).toBe(true)
      }
    }),
  )
})

test('what is pinned, and all above it, stays; the next oldest goes', () => {
  const policy = new LruPolicy<string>()
  const end = (index: number): number => index + 1
  for (const [key, parent] of [
    ['a', undefined],
    ['ab', 'a'],
    ['c', undefined],
  ] as const) {
    policy.use({ blocks: [key], end, open: false })
    policy.admit(key, parent)
  }
  policy.pin('ab')
  expect(policy.victim()).toBe('c')
  policy.remove('c')
  expect(policy.victim()).toBeUndefined()
  policy.unpin('ab')
  expect(policy.victim()).toBe('ab')
  expect(() => policy.unpin('ab')).toThrow('not pinned')
  expect(() => policy.remove('a')).toThrow('1 held children')
})

test('a block that is cut in two goes from its end', () => {
  const policy = new LruPolicy<string>()
  policy.admit('abcd', undefined)
  policy.split('abcd', 'ab')
  expect(policy.victim()).toBe('abcd')
  policy.remove('abcd')
  expect(policy.victim()).toBe('ab')
})
