import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LearningPolicy } from '../evict/learning-policy.ts'
import { LruPolicy } from '../evict/lru-policy.ts'
import { arbitraryPaths, chained, testBlock } from '../evict/testing/chains.ts'
import type { ChainedRequest } from './block-chains.ts'
import { BlockChains } from './block-chains.ts'
import { MinPolicy } from './min-policy.ts'
import { CacheSimulation } from './simulate-cache.ts'

function chainsOf(
  block: number,
  rows: readonly (readonly [inputTokens: number, ...blocks: number[]])[],
): ChainedRequest[] {
  const chains = new BlockChains(block)
  return rows.map(([inputTokens, ...blocks]) =>
    chains.add({ blockTokens: 64, blocks, inputTokens, at: 0, session: undefined, turnOver: undefined }),
  )
}

function pairOf(block: number, rows: Parameters<typeof chainsOf>[1]): [ChainedRequest, ChainedRequest] {
  const [first, second] = chainsOf(block, rows)
  if (first === undefined || second === undefined) throw new Error('two rows are needed')
  return [first, second]
}

test('equal ids make equal blocks only behind equal blocks', () => {
  const [first, second, third] = chainsOf(64, [
    [128, 1, 2],
    [128, 3, 2],
    [192, 1, 2, 2],
  ])
  expect([first, second, third].map((request) => [...(request?.chain ?? [])])).toEqual([
    [0, 1],
    [2, 3],
    [0, 1, 4],
  ])
})

test('joined blocks are equal when all their ids are; a shorter group at the end equals only itself', () => {
  const chains = chainsOf(128, [
    [192, 1, 2, 3],
    [256, 1, 2, 3, 4],
    [192, 1, 2, 3],
    [128, 1, 9],
  ]).map(({ chain }) => [...chain])
  expect(chains).toEqual([[0, 1], [0, 2], [0, 1], [3]])
})

test('blocks of a trace cannot be cut', () => {
  expect(() => chainsOf(96, [[64, 1]])).toThrow(
    'the trace has blocks of 64 tokens: blocks of 96 cannot be made of them',
  )
  expect(() => new BlockChains(0)).toThrow('at least 1, got 0')
})

test('chains are the paths of a naive trie', () => {
  fc.assert(
    fc.property(arbitraryPaths, fc.constantFrom(1, 2, 3), (paths, group) => {
      const numbers = new Map<string, number>()
      const chains = new BlockChains(64 * group)
      for (const blocks of paths) {
        const expected: number[] = []
        for (let from = 0; from < blocks.length; from += group) {
          const path = blocks.slice(0, from + group).join(',')
          if (!numbers.has(path)) numbers.set(path, numbers.size)
          expected.push(numbers.get(path) as number)
        }
        const added = chains.add({
          blockTokens: 64,
          blocks,
          inputTokens: 0,
          at: 0,
          session: undefined,
          turnOver: undefined,
        })
        expect([...added.chain]).toEqual(expected)
      }
      expect(chains.blocks).toBe(numbers.size)
    }),
  )
})

test('hit tokens are the matched blocks, and no more than the input', () => {
  const cache = new CacheSimulation({ policy: new LruPolicy(), capacityBlocks: 10, block: 128 })
  const [first, second] = pairOf(128, [
    [150, 1, 2, 3],
    [150, 1, 2, 3],
  ])
  expect(cache.totals.hitRatio).toBeUndefined()
  expect(cache.request(first)).toBe(0)
  expect(cache.request(second)).toBe(150)
  expect(cache.totals).toEqual({ requests: 2, inputTokens: 300, hitTokens: 150, hitRatio: 0.5 })
})

test('F-1 a request larger than the cache keeps its opening', () => {
  const cache = new CacheSimulation({ policy: new LruPolicy(), capacityBlocks: 2, block: 64 })
  const [first, second] = pairOf(64, [
    [256, 1, 2, 3, 4],
    [256, 1, 2, 3, 4],
  ])
  cache.request(first)
  expect(cache.request(second)).toBe(128)
})

test('MIN keeps what is used again soonest, and nothing that is used no more', () => {
  const requests = chained([[1], [2], [3], [3], [1], [2]])
  const cache = new CacheSimulation({ policy: new MinPolicy(requests), capacityBlocks: 2, block: testBlock })
  // 1 and 2 are held when 3 comes: 2 is used last, and goes.
  expect(requests.map((request) => cache.request(request) / testBlock)).toEqual([0, 0, 0, 1, 1, 0])
})

/** The most blocks that any choice of what to hold could hit. */
function bestHits(requests: readonly ChainedRequest[], capacity: number, at = 0, held: readonly number[] = []): number {
  const request = requests[at]
  if (request === undefined) return 0
  let matched = 0
  while (matched < request.chain.length && held.includes(request.chain[matched] ?? NaN)) matched++
  const all = [...new Set([...held, ...request.chain])]
  let best = 0
  for (let choice = 0; choice < 2 ** all.length; choice++) {
    const next = all.filter((_, index) => (choice & (1 << index)) !== 0)
    if (next.length <= capacity) best = Math.max(best, bestHits(requests, capacity, at + 1, next))
  }
  return matched + best
}

test('MIN hits as much as the best of all possible choices', () => {
  const paths = fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 2 }), { maxLength: 5 })
  fc.assert(
    fc.property(paths, fc.integer({ min: 1, max: 3 }), (paths, capacityBlocks) => {
      const requests = chained(paths)
      const cache = new CacheSimulation({ policy: new MinPolicy(requests), capacityBlocks, block: testBlock })
      for (const request of requests) cache.request(request)
      expect(cache.totals.hitTokens / testBlock).toBe(bestHits(requests, capacityBlocks))
    }),
    { numRuns: 60 },
  )
})

test('no policy holds more than the capacity or a block without its parent, and none beats MIN', () => {
  fc.assert(
    fc.property(arbitraryPaths, fc.integer({ min: 1, max: 8 }), (paths, capacityBlocks) => {
      const requests = chained(paths)
      const policies = [
        new MinPolicy(requests),
        new LruPolicy<number>(),
        new LearningPolicy<number>({ remembered: 10 }),
      ]
      const hits = policies.map((policy) => {
        const cache = new CacheSimulation({ policy, capacityBlocks, block: testBlock })
        for (const request of requests) {
          cache.request(request)
          expect(cache.size).toBeLessThanOrEqual(capacityBlocks)
          const cut = requests.every(({ chain }) => {
            const gone = chain.findIndex((block) => !cache.has(block))
            return gone < 0 || chain.subarray(gone).every((block) => !cache.has(block))
          })
          expect(cut).toBe(true)
        }
        return cache.totals.hitTokens
      })
      expect(Math.max(...hits)).toBe(hits[0])
    }),
  )
})

test('a simulation of nothing is refused', () => {
  const make = (capacityBlocks: number): CacheSimulation =>
    new CacheSimulation({ policy: new LruPolicy(), capacityBlocks, block: 64 })
  expect(() => make(0)).toThrow('capacityBlocks must be a whole number of at least 1, got 0')
  expect(() => make(1.5)).toThrow('got 1.5')
})
