import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockView } from './block-shelf.ts'
import { aUse } from '../testing/chain-use.ts'
import { BlockPool } from './block-pool.ts'
import { PrefixTree } from './prefix-tree.ts'
import type { TreeNode } from './tree-view.ts'
import { blockNodes, hotNodes } from './tree-view.ts'

const t = (text: string): Int32Array => Int32Array.from(text, (letter) => letter.charCodeAt(0))

/** What the nodes say, parents by their place. */
function lines(nodes: readonly TreeNode[]): unknown[] {
  return nodes.map(({ parent, start, tokens, depth, children, hits }) => {
    return [parent === undefined ? undefined : nodes.indexOf(parent), start, tokens, depth, children, hits]
  })
}

function aBlock(key: string, parentKey: string | undefined, fields: Partial<BlockView> = {}): BlockView {
  return { key, parentKey, scope: 's', hits: 0, storedAt: 10, usedAt: 10, ...fields }
}

test('a radix tree shows its runs with their uses: what was used last first, parents before children', () => {
  let now = 100
  const tree = new PrefixTree(() => now)
  tree.insert('a', t('aaaabb'), 6, 1)
  now = 200
  tree.insert('a', t('aaaaccc'), 7, 2)
  now = 300
  tree.insert('b', t('dd'), 2, 3)
  now = 400
  const match = tree.match('a', t('aaaabb'), { limit: 6 })
  if (match !== undefined) tree.countHit(match)
  const nodes = hotNodes(tree, '')
  expect(lines(nodes)).toEqual([
    [undefined, 0, 4, 0, 2, 1],
    [0, 4, 2, 1, 0, 1],
    [undefined, 0, 2, 0, 0, 0],
    [0, 4, 3, 1, 0, 0],
  ])
  expect(nodes.map(({ scope, storedAt, usedAt }) => [scope, storedAt, usedAt])).toEqual([
    ['a', 100, 400],
    ['a', 100, 400],
    ['b', 300, 300],
    ['a', 200, 200],
  ])
  expect(hotNodes(tree, 'b').map(({ scope }) => scope)).toEqual(['b'])
})

test('what a request left half-way was not reused behind that place', () => {
  const tree = new PrefixTree()
  tree.insert('a', t('aaaabb'), 6, 1)
  const match = tree.match('a', t('aaaaccc'), { limit: 6 })
  if (match !== undefined) tree.countHit(match)
  expect(lines(hotNodes(tree, ''))).toEqual([[undefined, 0, 6, 0, 0, 1]])
  tree.insert('a', t('aaaaccc'), 7, 2)
  expect(lines(hotNodes(tree, ''))).toEqual([
    [undefined, 0, 4, 0, 2, 1],
    [0, 4, 3, 1, 0, 0],
    [0, 4, 2, 1, 0, 0],
  ])
})

test('blocks without a branch between them are one run, as long as they were reused equally often', () => {
  const blocks = [
    aBlock('1', undefined, { hits: 2, usedAt: 30 }),
    aBlock('2', '1', { hits: 2, usedAt: 20, storedAt: 5 }),
    aBlock('3', '2', { hits: 1 }),
    aBlock('4', '3', { hits: 1 }),
    aBlock('5', '3', { hits: 1 }),
  ]
  const nodes = blockNodes(blocks, '')
  expect(lines(nodes)).toEqual([
    [undefined, 0, 128, 0, 1, 2],
    [0, 128, 64, 1, 2, 1],
    [1, 192, 64, 2, 0, 1],
    [1, 192, 64, 2, 0, 1],
  ])
  expect(nodes[0]).toMatchObject({ storedAt: 5, usedAt: 30 })
  expect(lines(blockNodes(blocks.toReversed(), ''))).toHaveLength(4)
})

test('a run that began before the process has no age', () => {
  const [node] = blockNodes([aBlock('1', undefined, { storedAt: undefined }), aBlock('2', '1')], '')
  expect(node).toMatchObject({ tokens: 128, storedAt: undefined })
})

test('whatever is stored, evicted and reused: parents come first, and no token is lost or shown twice', () => {
  const step = fc.record({ chain: fc.array(fc.nat(2), { minLength: 1, maxLength: 6 }), reuses: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (steps, room) => {
      const pool = new BlockPool(room * 8, { now: () => 1 })
      const tree = new PrefixTree(() => 1)
      for (const [index, { chain, reuses }] of steps.entries()) {
        const keys = chain.map((_, at) => chain.slice(0, at + 1).join(''))
        pool.use(aUse(keys))
        for (const [at, key] of keys.entries()) {
          pool.add({ key, parentKey: keys[at - 1], scope: 's', tokens: new Int32Array(1), bytes: 8 })
          if (reuses) pool.countHit(key)
        }
        const tokens = Int32Array.from(chain)
        const match = tree.match('s', tokens, { limit: tokens.length })
        if (reuses && match !== undefined) tree.countHit(match)
        tree.insert('s', tokens, tokens.length, index)
        const victim = tree.victim()
        if (tree.leafCount > room && victim !== undefined) tree.evict(victim)
      }
      for (const [nodes, tokens] of [
        [blockNodes(pool.lastUsedFirst(), ''), pool.size * 64],
        [hotNodes(tree, ''), tree.cells],
      ] as const) {
        expect(nodes.reduce((sum, node) => sum + node.tokens, 0)).toBe(tokens)
        for (const [index, node] of nodes.entries()) {
          const { parent } = node
          expect(parent === undefined ? -1 : nodes.indexOf(parent)).toBeLessThan(index)
          expect(node.start).toBe(parent === undefined ? 0 : parent.start + parent.tokens)
          expect(node.children).toBe(nodes.filter((other) => other.parent === node).length)
          expect(node.hits).toBeLessThanOrEqual(parent?.hits ?? Infinity)
        }
      }
    }),
  )
})
