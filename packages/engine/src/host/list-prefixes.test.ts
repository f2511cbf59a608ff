import { expect, test } from 'vitest'
import { BlockPool } from '../cache/block-pool.ts'
import { PrefixTree } from '../cache/prefix-tree.ts'
import type { ModelCache } from './list-prefixes.ts'
import { listPrefixes } from './list-prefixes.ts'

let now = 0

function aCache(model: string, disk?: object): ModelCache {
  const tree = new PrefixTree(() => now)
  const pool = new BlockPool(1_000, undefined, () => now)
  // Only what is looked at here.
  return { model, cache: { tree, ram: { pool, disk } } as unknown as ModelCache['cache'] }
}

function fill({ cache: { tree, ram } }: ModelCache, at: number, letter: number): void {
  now = at
  tree.insert('s', Int32Array.of(letter, 1), 2, letter)
  ram.pool.add({ key: `${letter}`, parentKey: undefined, scope: 's', tokens: new Int32Array(64), bytes: 8 })
}

test('models and tiers are merged by last use, and the limit says that it cut something off', () => {
  const [one, two] = [aCache('one'), aCache('two')]
  fill(one, 10, 1)
  fill(two, 20, 2)
  fill(one, 30, 3)
  const all = listPrefixes([one, two], { limit: 10 })
  expect(all.truncated).toBe(false)
  expect(all.nodes.map(({ model, tier, usedAt }) => [model, tier, usedAt])).toEqual([
    ['one', 'hot', 30],
    ['one', 'ram', 30],
    ['two', 'hot', 20],
    ['two', 'ram', 20],
    ['one', 'hot', 10],
    ['one', 'ram', 10],
  ])
  expect(listPrefixes([one, two], { limit: 3 })).toEqual({ nodes: all.nodes.slice(0, 3), truncated: true })
  expect(listPrefixes([one, two], { limit: 6 }).truncated).toBe(false)
})

test('a parent has its place in the answer, whatever the clock said when it was used', () => {
  const one = aCache('one')
  const { tree } = one.cache
  now = 500
  tree.insert('s', Int32Array.of(1, 2, 3), 3, 1)
  now = 400
  tree.insert('s', Int32Array.of(1, 2, 4), 3, 2)
  const { nodes } = listPrefixes([one], { limit: 2 })
  expect(nodes.map(({ parent, tokens, children }) => [parent, tokens, children])).toEqual([
    [undefined, 2, 2],
    [0, 1, 0],
  ])
})

test('a disk tier that instances share is shown once', () => {
  const disk = {
    warmestFirst: () => [{ key: 'a', parentKey: undefined, scope: 's', hits: 0, storedAt: undefined, usedAt: 5 }],
  }
  const { nodes } = listPrefixes([aCache('one', disk), aCache('two', disk)], { limit: 10 })
  expect(nodes).toMatchObject([{ model: 'one', tier: 'disk', tokens: 64, storedAt: undefined, usedAt: 5 }])
})
