import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PrefixTree } from './prefix-tree.ts'
import type { PrefixNode } from './prefix-tree.ts'

const t = (text: string): Int32Array => Int32Array.from(text, (letter) => letter.charCodeAt(0))
const found = (tree: PrefixTree, text: string, scope = 'a'): number =>
  tree.match(scope, t(text), { limit: text.length, peek: true })?.length ?? 0

function insert(tree: PrefixTree, text: string, sequence: number, scope = 'a') {
  return tree.insert(scope, t(text), text.length, sequence)
}

test('F-1 leaves go least recently used first, children before parents, the last child by a cut', () => {
  const tree = new PrefixTree()
  insert(tree, 'aaaabbbb', 1)
  insert(tree, 'aaaacccc', 2)
  insert(tree, 'dddd', 3)
  tree.match('a', t('aaaabbbb'), { limit: 8 })
  expect(tree.cells).toBe(16)
  const evictions = []
  for (let victim = tree.victim(); victim !== undefined; victim = tree.victim()) evictions.push(tree.evict(victim))
  expect(evictions).toEqual([
    { sequence: 2, keep: 0, freed: 4 },
    { sequence: 3, keep: 0, freed: 4 },
    { sequence: 1, keep: 4, freed: 4 },
    { sequence: 1, keep: 0, freed: 4 },
  ])
  expect([tree.cells, tree.leafCount]).toEqual([0, 0])
})

test('a leaf can lose only its tail', () => {
  const tree = new PrefixTree()
  insert(tree, 'abcdefgh', 1)
  expect(tree.evict(tree.victim() as PrefixNode, 5)).toEqual({ sequence: 1, keep: 5, freed: 3 })
  expect([tree.cells, found(tree, 'abcdefgh')]).toEqual([5, 5])
})

test('a pinned node keeps itself and what is above it, also when it is split afterwards', () => {
  const tree = new PrefixTree()
  const { node } = insert(tree, 'abcdefgh', 1)
  tree.pin(node)
  insert(tree, 'abcdxyz', 2)
  expect(tree.victim()?.sequence).toBe(2)
  tree.evict(tree.victim() as PrefixNode)
  expect(tree.victim()).toBeUndefined()
  tree.unpin(node)
  expect(tree.evict(tree.victim() as PrefixNode)).toEqual({ sequence: 1, keep: 4, freed: 4 })
})

test('a longer prompt takes over from the leaf it continues', () => {
  const tree = new PrefixTree()
  insert(tree, 'abcd', 1)
  expect(insert(tree, 'abcdefg', 2)).toMatchObject({ added: 3, displaced: 1 })
  expect([tree.owns(1), tree.owns(2)]).toEqual([false, true])
  expect(tree.match('a', t('abcd'), { limit: 4 })?.leaf.sequence).toBe(2)
  expect(insert(tree, 'abcdef', 3)).toMatchObject({ added: 0, displaced: undefined })
  expect(tree.owns(3)).toBe(false)
})

test('a reset drops the scopes that begin with the prefix, and only those', () => {
  const tree = new PrefixTree()
  insert(tree, 'abcd', 1, 'org1-x')
  insert(tree, 'abce', 2, 'org1-y')
  insert(tree, 'abcd', 3, 'org2')
  expect(tree.reset('org1')).toEqual({ tokens: 8, sequences: [1, 2] })
  expect([found(tree, 'abcd', 'org1-x'), found(tree, 'abcd', 'org2'), tree.cells]).toEqual([0, 4, 4])
})

type Action =
  | { readonly kind: 'insert'; readonly scope: string; readonly text: string }
  | { readonly kind: 'fork'; readonly cut: number; readonly text: string }
  | { readonly kind: 'evict'; readonly keep: number }
  | { readonly kind: 'pin'; readonly pick: number }
  | { readonly kind: 'unpin'; readonly pick: number }
  | { readonly kind: 'reset'; readonly scope: string }

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 })
const scope = fc.constantFrom('x', 'y', 'xy')
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('insert' as const), scope, text }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fork' as const), cut: fc.nat(12), text }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('evict' as const), keep: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant('pin' as const), pick: fc.nat(5) }),
      fc.record({ kind: fc.constant('unpin' as const), pick: fc.nat(5) }),
    ),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), scope }) },
)

/** What each sequence holds, as plain text: slow and obviously right. */
class NaiveModel {
  readonly held = new Map<number, { readonly scope: string; text: string }>()

  match(scope: string, wanted: string): number {
    let longest = 0
    for (const held of this.held.values()) {
      if (held.scope === scope) longest = Math.max(longest, common(held.text, wanted))
    }
    return longest
  }

  get cells(): number {
    const prefixes = new Set<string>()
    for (const { scope, text } of this.held.values()) {
      for (let end = 1; end <= text.length; end++) prefixes.add(`${scope}:${text.slice(0, end)}`)
    }
    return prefixes.size
  }
}

test('F-3 the tree equals a naive model under inserts, forks, evictions, pins and resets', () => {
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 60 }),
      fc.array(fc.tuple(scope, text), { minLength: 5, maxLength: 5 }),
      (actions, probes) => {
        const tree = new PrefixTree()
        const naive = new NaiveModel()
        const pinned: { readonly node: PrefixNode; readonly scope: string; readonly text: string }[] = []
        let next = 0
        let misfreed = 0
        const put = (into: string, whole: string): void => {
          const sequence = next++
          const insertion = insert(tree, whole, sequence, into)
          expect(insertion.added).toBe(whole.length - naive.match(into, whole))
          if (insertion.displaced !== undefined) naive.held.delete(insertion.displaced)
          if (insertion.added > 0) naive.held.set(sequence, { scope: into, text: whole })
        }
        for (const step of actions) {
          if (step.kind === 'insert') put(step.scope, step.text)
          else if (step.kind === 'fork') {
            const from = [...naive.held.values()].at(-1)
            if (from !== undefined) put(from.scope, from.text.slice(0, step.cut) + step.text)
          } else if (step.kind === 'evict') {
            const victim = tree.victim()
            if (victim === undefined) continue
            const before = naive.cells
            const eviction = tree.evict(victim, step.keep)
            const held = naive.held.get(eviction.sequence)
            if (eviction.keep === 0) naive.held.delete(eviction.sequence)
            else if (held !== undefined) held.text = held.text.slice(0, eviction.keep)
            misfreed += Math.abs(before - naive.cells - eviction.freed)
          } else if (step.kind === 'pin') {
            const [sequence, held] = [...naive.held][step.pick] ?? []
            if (sequence === undefined || held === undefined) continue
            const match = tree.match(held.scope, t(held.text), { limit: held.text.length })
            if (match === undefined) continue
            tree.pin(match.node)
            pinned.push({ node: match.node, ...held })
          } else if (step.kind === 'unpin') {
            const pin = pinned.splice(step.pick, 1)[0]
            if (pin !== undefined) tree.unpin(pin.node)
          } else {
            const dropped = tree.reset(step.scope)
            for (const sequence of dropped.sequences) naive.held.delete(sequence)
            for (const pin of pinned.filter((one) => one.scope.startsWith(step.scope)))
              pinned.splice(pinned.indexOf(pin), 1)
          }
          expect([tree.cells, misfreed]).toEqual([naive.cells, 0])
          expect(tree.leafCount).toBe(naive.held.size)
          for (const pin of pinned) expect(found(tree, pin.text, pin.scope)).toBe(pin.text.length)
          for (const [into, wanted] of probes) {
            const match = tree.match(into, t(wanted), { limit: wanted.length })
            expect(match?.length ?? 0).toBe(naive.match(into, wanted))
            const holder = match === undefined ? undefined : naive.held.get(match.leaf.sequence)
            expect(holder?.scope).toBe(match === undefined ? undefined : into)
            expect(holder === undefined ? 0 : common(holder.text, wanted)).toBe(match?.length ?? 0)
          }
        }
      },
    ),
    { numRuns: 300 },
  )
})

function common(left: string, right: string): number {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return length
}
