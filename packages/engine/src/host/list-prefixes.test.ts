import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockPool } from '../cache/block-pool.ts'
import { PrefixTree } from '../cache/prefix-tree.ts'
import type { CachedPrefix, PrefixOrder } from '../engine.ts'
import type { ModelCache } from './list-prefixes.ts'
import { listPrefixes } from './list-prefixes.ts'

let now = 0

function aCache(model: string, disk?: object): ModelCache {
  const tree = new PrefixTree(() => now)
  const pool = new BlockPool(1_000, { now: () => now })
  // Only what is looked at here.
  return { model, cache: { tree, ram: { pool, disk } } as unknown as ModelCache['cache'] }
}

function fill({ cache: { tree, ram } }: ModelCache, at: number, letter: number): void {
  now = at
  tree.insert('s', Int32Array.of(letter, 1), 2, letter)
  ram.pool.add({ key: `${letter}`, parentKey: undefined, scope: 's', tokens: new Int32Array(64), bytes: 8 })
}

test('models and tiers are merged by last use; the totals are of all, whatever the limit', () => {
  const [one, two] = [aCache('one'), aCache('two')]
  fill(one, 10, 1)
  fill(two, 20, 2)
  fill(one, 30, 3)
  const all = listPrefixes([one, two], { limit: 10 })
  expect(all.totals).toEqual({
    hot: { nodes: 3, tokens: 6 },
    ram: { nodes: 3, tokens: 192 },
    disk: { nodes: 0, tokens: 0 },
  })
  expect(all.nodes.map(({ model, tier, usedAt }) => [model, tier, usedAt])).toEqual([
    ['one', 'hot', 30],
    ['one', 'ram', 30],
    ['two', 'hot', 20],
    ['two', 'ram', 20],
    ['one', 'hot', 10],
    ['one', 'ram', 10],
  ])
  expect(listPrefixes([one, two], { limit: 3 })).toEqual({ nodes: all.nodes.slice(0, 3), totals: all.totals })
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
    lastUsedFirst: () => [{ key: 'a', parentKey: undefined, scope: 's', hits: 0, storedAt: undefined, usedAt: 5 }],
  }
  const { nodes } = listPrefixes([aCache('one', disk), aCache('two', disk)], { limit: 10 })
  expect(nodes).toMatchObject([{ model: 'one', tier: 'disk', tokens: 64, storedAt: undefined, usedAt: 5 }])
})

test('the largest trees, the most reused and the oldest come first when asked for, parents before children', () => {
  const one = aCache('one')
  const { tree } = one.cache
  const insert = (at: number, text: string, sequence: number): void => {
    now = at
    tree.insert('s', t(text), text.length, sequence)
  }
  insert(300, 'aaaabb', 1)
  insert(100, 'cccccccc', 2)
  insert(200, 'aaaadddd', 3)
  const match = tree.match('s', t('aaaabb'), { limit: 6 })
  if (match !== undefined) tree.countHit(match)
  const shown = (order: PrefixOrder, limit = 10): unknown[] =>
    listPrefixes([one], { limit, order }).nodes.map(({ parent, tokens }) => [parent, tokens])
  expect(shown('tokens')).toEqual([
    [undefined, 4],
    [undefined, 8],
    [0, 4],
    [0, 2],
  ])
  expect(shown('hits')).toEqual([
    [undefined, 4],
    [0, 2],
    [0, 4],
    [undefined, 8],
  ])
  expect(shown('age')).toEqual([
    [undefined, 8],
    [undefined, 4],
    [1, 4],
    [1, 2],
  ])
  expect(shown('age', 3)).toEqual(shown('age').slice(0, 3))
})

test('in every order the answer is whole trees of all that there is, and the heavier come first', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), fc.constantFrom(...orders), fc.nat(30), (texts, order, limit) => {
      const one = aCache('one')
      for (const [at, inserted] of texts.entries()) {
        now = at
        one.cache.tree.insert('s', t(inserted), inserted.length, at)
      }
      const all = listPrefixes([one], { limit: 1_000, order }).nodes
      expect(listPrefixes([one], { limit, order }).nodes).toEqual(all.slice(0, limit))
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
      for (const [place, { parent, depth, start }] of all.entries()) {
        const above = parent === undefined ? undefined : all[parent]
        expect(parent ?? -1).toBeLessThan(place)
        expect([depth, start]).toEqual([(above?.depth ?? -1) + 1, (above?.start ?? 0) + (above?.tokens ?? 0)])
      }
      const weights = all.map((_, place) => weightOf(all, place, order))
      expect(weights).toEqual([...weights].sort((left, right) => right - left))
    }),
  )
})

const orders = ['used', 'tokens', 'hits', 'age'] as const
const t = (text: string): Int32Array => Int32Array.from(text, (letter) => letter.charCodeAt(0))

/** The plain way: of a node and of all below it. */
function weightOf(all: readonly CachedPrefix[], place: number, order: PrefixOrder): number {
  const isBelow = (at: number): boolean => at === place || isBelowOf(all[at]?.parent)
  const isBelowOf = (parent: number | undefined): boolean => parent !== undefined && isBelow(parent)
  const below = all.filter((_, at) => isBelow(at))
  if (order === 'tokens') return below.reduce((sum, { tokens }) => sum + tokens, 0)
  return Math.max(...below.map((node) => ownWeightOf(node, order)))
}

function ownWeightOf(
  { hits, storedAt = 0, usedAt }: Pick<CachedPrefix, 'hits' | 'usedAt'> & { storedAt?: number | undefined },
  order: PrefixOrder,
): number {
  if (order === 'age') return 0 - storedAt
  return order === 'hits' ? hits : usedAt
}
