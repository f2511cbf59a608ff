import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { epochMs } from '../domain/units.ts'
import { PrefixIndex } from './prefix-index.ts'
import { NaiveIndex } from './testing/naive-index.ts'
import type { WeightedChain } from './wire-chain.ts'

const at = epochMs(1_000)

const weightOf = (hash: number): number => hash + 1

/** A chain of small made-up hashes: block `n` of `[1, 2]` differs from block `n` of `[3, 2]` by its parent. */
function chainOf(hashes: readonly number[], segmentEnds: readonly number[] = []): WeightedChain {
  const weights = hashes.map(weightOf)
  return { lanes: Uint32Array.from(hashes.flatMap((hash) => [hash, ~hash])), weights, segmentEnds }
}

test('F-1 the longest known prefix is found, with its weight', () => {
  const index = new PrefixIndex({ maxNodes: 100 })
  expect(index.insert('m', chainOf([1, 2, 3]), { at })).toEqual({ knownBlocks: 0, addedBlocks: 3, evictedNodes: 0 })
  expect(index.insert('m', chainOf([1, 2, 4]), { at })).toEqual({ knownBlocks: 2, addedBlocks: 1, evictedNodes: 0 })
  expect(index.match('m', chainOf([1, 2, 4, 9]))).toEqual({ blocks: 3, weight: 2 + 3 + 5, lastSeen: at })
  expect(index.match('m', chainOf([1, 9]))).toEqual({ blocks: 1, weight: 2, lastSeen: at })
  expect(index.match('m', chainOf([2, 3]))).toEqual({ blocks: 0, weight: 0, lastSeen: undefined })
})

test('P-5 P-9 namespaces share nothing', () => {
  const index = new PrefixIndex({ maxNodes: 100 })
  index.insert('opus', chainOf([1, 2]), { at })
  expect(index.match('haiku', chainOf([1, 2])).blocks).toBe(0)
})

test('F-1 the whole eviction order: endings before openings, oldest first', () => {
  const index = new PrefixIndex({ maxNodes: 10 })
  index.insert('m', chainOf([1, 2, 3]), { at })
  index.insert('m', chainOf([1, 5]), { at })
  index.insert('n', chainOf([7]), { at })
  index.insert('m', chainOf([1, 2]), { at })
  const probes = { m123: [1, 2, 3], m12: [1, 2], m15: [1, 5], m1: [1] }
  const known = (): string[] => {
    const found = Object.entries(probes).filter(([, chain]) => index.match('m', chainOf(chain)).blocks === chain.length)
    return [...found.map(([name]) => name), ...(index.match('n', chainOf([7])).blocks === 1 ? ['n7'] : [])]
  }
  const states = [known()]
  while (index.evict(1) === 1) states.push(known())
  expect(states).toEqual([
    ['m123', 'm12', 'm15', 'm1', 'n7'],
    ['m12', 'm15', 'm1', 'n7'], // 3: last used by the first insert
    ['m12', 'm1', 'n7'], // 5: by the second
    ['m12', 'm1'], // 7: by the third
    ['m12', 'm1'], // namespace n, now empty
    ['m1'],
    [],
    [], // namespace m
  ])
  expect(index.size).toBe(0)
})

test('asking does not keep a prefix alive, using it does', () => {
  const index = new PrefixIndex({ maxNodes: 4 })
  index.insert('m', chainOf([1]), { at })
  index.insert('m', chainOf([2]), { at })
  index.match('m', chainOf([1]))
  index.insert('m', chainOf([3, 4]), { at })
  expect(index.match('m', chainOf([1])).blocks).toBe(0)
  expect(index.match('m', chainOf([3, 4])).blocks).toBe(2)
  expect(index.losses.evictedNodes).toBe(1)
})

test('of a chain longer than the budget the opening is kept', () => {
  const index = new PrefixIndex({ maxNodes: 4 })
  expect(index.insert('m', chainOf([1, 2, 3, 4, 5]), { at }).addedBlocks).toBe(3)
  expect(index.match('m', chainOf([1, 2, 3, 4, 5])).blocks).toBe(3)
  expect(index.insert('m', chainOf([1, 2, 3, 4, 5]), { at })).toMatchObject({ knownBlocks: 3, addedBlocks: 0 })
})

test('F-1 the index equals a naive model under random inserts, matches and evictions', () => {
  const chain = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 6 })
  const namespace = fc.constantFrom('a', 'b', 'c')
  const step = fc.record({ kind: fc.constantFrom('insert', 'insert', 'insert', 'evict'), namespace, chain })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 14 }), fc.array(step, { maxLength: 60 }), (budget, steps) => {
      const index = new PrefixIndex({ maxNodes: budget })
      const model = new NaiveIndex(budget)
      const receipts: unknown[] = []
      const expected: unknown[] = []
      for (const { kind, namespace, chain } of steps) {
        const ends = [...chain.keys()]
        if (kind === 'insert') {
          receipts.push(index.insert(namespace, chainOf(chain, ends), { at }))
          expected.push(model.insert(namespace, chain, chain.map(weightOf)))
        } else {
          index.evict(1)
          model.evictOne()
        }
        expect(index.size).toBe(model.size)
        const uses = index.statistics(budget, at).map((prefix) => prefix.uses)
        expect(uses).toEqual(model.blockUses())
        expect(index.match(namespace, chainOf(chain))).toMatchObject(model.match(namespace, chain))
      }
      expect(receipts).toMatchObject(expected)
    }),
    { numRuns: 500 },
  )
})

test('M-1 reuse is counted at segment ends and branches, most used first', () => {
  const index = new PrefixIndex({ maxNodes: 100 })
  index.insert('m', chainOf([1, 2, 3], [0, 2]), { at })
  index.insert('m', chainOf([1, 2, 4], [0, 2]), { at: epochMs(2_000) })
  index.insert('m', chainOf([1], [0]), { at: epochMs(3_000) })
  const found = index
    .statistics(10, at)
    .map(({ blocks, weight, uses, branches, lastSeen }) => [blocks, weight, uses, branches, lastSeen])
  expect(found).toEqual([
    [1, 2, 3, 1, 3_000],
    [2, 5, 2, 2, 2_000],
    [3, 10, 1, 0, 2_000],
    [3, 9, 1, 0, 1_000],
  ])
  expect(index.statistics(1, at)).toMatchObject([{ namespace: 'm', hash: '00000001fffffffe', holders: [] }])
})

test('residency: who holds how much, until when', () => {
  const index = new PrefixIndex({ maxNodes: 100 })
  const until = epochMs(5_000)
  index.insert('m', chainOf([1, 2, 3]), { at, replica: 'r1', until })
  index.insert('m', chainOf([1, 4]), { at, replica: 'r2', until: epochMs(9_000) })
  expect(index.holders('m', chainOf([1, 2, 3, 4]), at)).toEqual([
    { replica: 'r1', blocks: 3, weight: 9, until },
    { replica: 'r2', blocks: 1, weight: 2, until: 9_000 },
  ])
  expect(index.holders('m', chainOf([1, 2]), until)).toMatchObject([{ replica: 'r2', blocks: 1 }])
  index.insert('m', chainOf([1]), { at: epochMs(2_000), replica: 'r2', until: epochMs(8_000) })
  expect(index.holders('m', chainOf([1]), until)).toMatchObject([{ until: 9_000 }])
  index.release('r2')
  expect(index.holders('m', chainOf([1, 2]), at)).toMatchObject([{ replica: 'r1', blocks: 2 }])
  expect(index.statistics(1, at)).toMatchObject([{ blocks: 1, holders: [{ replica: 'r1', until }] }])
})

test('residency is bounded: ended records are reused, evicted nodes give theirs back, a loss is counted', () => {
  const index = new PrefixIndex({ maxNodes: 3, maxResidencies: 2 })
  const hold = (chain: number[], replica: string, from: number, until: number): void => {
    index.insert('m', chainOf(chain), { at: epochMs(from), replica, until: epochMs(until) })
  }
  hold([1], 'r1', 0, 10)
  hold([1], 'r2', 0, 20)
  hold([1], 'r3', 0, 30) // no record is free: the one that ends first gives way
  expect(
    index
      .holders('m', chainOf([1]), epochMs(0))
      .map(({ replica }) => replica)
      .sort(),
  ).toEqual(['r2', 'r3'])
  hold([2], 'r1', 0, 10)
  expect(index.holders('m', chainOf([2]), epochMs(0))).toEqual([])
  expect(index.losses.droppedResidencies).toBe(1)
  hold([3], 'r1', 0, 10) // evicts [1] with its two records
  expect(index.holders('m', chainOf([3]), epochMs(0))).toMatchObject([{ replica: 'r1' }])
})

test('a budget that holds no block is refused', () => {
  expect(() => new PrefixIndex({ maxNodes: 1 })).toThrow('at least 2, got 1')
})
