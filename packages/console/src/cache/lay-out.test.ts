import { array, assert, constantFrom, integer, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import type { PrefixRow } from '../api/engine.ts'
import type { Cell } from './lay-out.ts'
import { layOut } from './lay-out.ts'
import { nextCell } from './next-cell.ts'
import { findNode, nodesBelow, pathTo, pictureTree } from './picture-node.ts'

const canvas = { width: 1_000, rows: 9 }

function aRow(id: string, parent: number | null, fields: Partial<PrefixRow> = {}): PrefixRow {
  const facts = { model: 'demo', org: 'acme', depth: 0, start: 0, children: 0, hits: 0, age_ms: 0, last_used: '' }
  return { ...facts, id, parent, tier: 'hot', tokens: 100, ...fields }
}

test('a node is as wide as its tokens and those below it, children under it, the largest first', () => {
  const tree = pictureTree({
    data: [aRow('a', null, { tokens: 200 }), aRow('b', 0, { tokens: 100 }), aRow('c', 0, { tokens: 500 })],
  })
  const cells = layOut({ node: tree, from: 0 }, canvas)
  expect(cells.map(({ id, x, width, row }) => [id, x, width, row])).toEqual([
    ['all', 0, 1_000, 0],
    ['hot', 0, 1_000, 1],
    ['a', 0, 1_000, 2],
    ['c', 0, 625, 3],
    ['b', 625, 125, 3],
  ])
})

test('what is too narrow is gathered beside its siblings, and can be gone into until all was to be seen', () => {
  const tree = pictureTree({ data: Array.from({ length: 2_000 }, (_, at) => aRow(`p${at}`, null)) })
  const hot = findNode(tree, 'hot') ?? tree
  const seen = new Set<string>()
  let looks = 0
  for (let from: number | undefined = 0; from !== undefined; looks++) {
    const cells: readonly Cell[] = layOut({ node: hot, from }, canvas).filter(({ row }) => row === 2)
    const rest = cells.find(({ restFrom }) => restFrom !== undefined)
    for (const { restFrom, id } of cells) if (restFrom === undefined) seen.add(id)
    expect(cells.length).toBeLessThan(120)
    from = rest?.restFrom
  }
  expect([seen.size, looks < 30]).toEqual([2_000, true])
})

test('a small tier is to be seen beside a large one', () => {
  const tree = pictureTree({
    data: [
      aRow('a', null, { tokens: 1 }),
      aRow('b', null, { tier: 'ram', tokens: 5_000 }),
      aRow('c', null, { tier: 'disk', tokens: 5_000 }),
    ],
  })
  const tiers = layOut({ node: tree, from: 0 }, canvas).filter(({ row }) => row === 1)
  expect(tiers.map(({ id, width }) => [id, Math.round(width)])).toEqual([
    ['hot', 72],
    ['ram', 464],
    ['disk', 464],
  ])
})

test('a deep tree is cut where it gets too high, and what is above the focus is short', () => {
  const chain = Array.from({ length: 40 }, (_, at) => aRow(`p${at}`, at === 0 ? null : at - 1))
  const tree = pictureTree({ data: chain })
  const fromTop = layOut({ node: tree, from: 0 }, canvas)
  expect([fromTop.length, fromTop.at(-1)?.deeper]).toEqual([10, true])
  const node = findNode(tree, 'p30') ?? tree
  const further = layOut({ node, from: 0 }, canvas)
  expect(further.slice(0, 5).map(({ id }) => id)).toEqual(['all', 'p28', 'p29', 'p30', 'p31'])
  expect(pathTo(node)).toHaveLength(33)
})

const trees = array(
  record({
    parent: integer({ min: -3, max: 40 }),
    tokens: integer({ min: 1, max: 5_000 }),
    tier: constantFrom('hot' as const, 'ram' as const, 'disk' as const),
  }),
  { maxLength: 40 },
).map((rows) => {
  const data: PrefixRow[] = []
  for (const [at, { parent, tokens, tier }] of rows.entries()) {
    const above = parent < at ? data[parent] : undefined
    data.push(aRow(`p${at}`, above === undefined ? null : parent, { tokens, tier: above?.tier ?? tier }))
  }
  return data
})

test('whatever the tree and the width: children stay under their parents, none overlap, and sums are those of the list', () => {
  assert(
    property(trees, integer({ min: 40, max: 1_500 }), (data, width) => {
      const tree = pictureTree({ data })
      expect(tree.size).toBe(data.reduce((sum, { tokens }) => sum + tokens, 0))
      expect([...nodesBelow(tree)].filter(({ row }) => row !== undefined)).toHaveLength(data.length)
      const cells = layOut({ node: tree, from: 0 }, { width, rows: 9 })
      const byId = new Map(cells.map((cell) => [cell.id, cell]))
      expect(byId.size).toBe(cells.length)
      expect(cells.filter((cell) => !isUnder(cell, byId)).map(({ id }) => id)).toEqual(['all'])
      expect(cells.filter((cell) => cells.some((other) => overlaps(cell, other)))).toEqual([])
    }),
  )
})

function isUnder({ node, restFrom, x, width, row }: Cell, byId: ReadonlyMap<string, Cell>): boolean {
  const parent = byId.get(restFrom === undefined ? (node.parent?.id ?? '') : node.id)
  if (parent === undefined || width < 0 || row !== parent.row + 1) return false
  return x >= parent.x - 0.01 && x + width <= parent.x + parent.width + 0.01
}

function overlaps(one: Cell, other: Cell): boolean {
  if (one === other || one.row !== other.row) return false
  return one.x <= other.x && one.x + one.width > other.x + 0.01
}

test('arrows lead to what is beside, above and below', () => {
  const tree = pictureTree({ data: [aRow('a', null), aRow('b', 0, { tokens: 300 }), aRow('c', 0)] })
  const cells = layOut({ node: tree, from: 0 }, canvas)
  const go = (from: string, key: string): string | undefined => nextCell(cells, from, key)?.id
  expect(go('all', 'ArrowDown')).toBe('hot')
  expect(go('hot', 'ArrowDown')).toBe('a')
  expect(go('a', 'ArrowDown')).toBe('b')
  expect([go('b', 'ArrowRight'), go('c', 'ArrowLeft'), go('b', 'End'), go('c', 'Home')]).toEqual(['c', 'b', 'c', 'b'])
  expect([go('c', 'ArrowUp'), go('c', 'ArrowRight'), go('c', 'x'), go('nowhere', 'ArrowUp')]).toEqual([
    'a',
    undefined,
    undefined,
    undefined,
  ])
})
