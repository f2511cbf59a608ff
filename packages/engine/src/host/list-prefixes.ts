import { epochMs, tokenCount } from '@incipit/core'
import type { KvCache } from '../cache/kv-cache.ts'
import type { TreeNode } from '../cache/tree-view.ts'
import { blockNodes, hotNodes } from '../cache/tree-view.ts'
import type { CachedPrefix, CachedPrefixes, CacheTier, PrefixOrder, PrefixQuery } from '../engine.ts'

/** The caches of one model. */
export interface ModelCache {
  readonly model: string
  readonly cache: Pick<KvCache, 'tree' | 'ram'>
}

/** The tree of one tier of one model. */
interface Forest {
  readonly model: string
  readonly tier: CacheTier
  readonly nodes: readonly TreeNode[]
}

/**
 * What is cached in every tier, in the order asked for. Instances that share a disk tier have its nodes listed once.
 * @example listPrefixes([{ model: 'demo', cache }], { scopePrefix: '', limit: 100 })
 */
export function listPrefixes(
  caches: readonly ModelCache[],
  { scopePrefix = '', order = 'used', limit }: Pick<PrefixQuery, 'scopePrefix' | 'order' | 'limit'>,
): CachedPrefixes {
  const forests = forestsOf(caches, scopePrefix)
  const placed = new Map<TreeNode, number>()
  const nodes: CachedPrefix[] = []
  for (const [forest, node] of order === 'used' ? lastUsedFirst(forests) : heaviestFirst(forests, order)) {
    if (nodes.length === limit) break
    placed.set(node, nodes.length)
    nodes.push(shown(forest, node, node.parent && placed.get(node.parent)))
  }
  return { nodes, totals: { hot: total(forests, 'hot'), ram: total(forests, 'ram'), disk: total(forests, 'disk') } }
}

function total(forests: readonly Forest[], tier: CacheTier): CachedPrefixes['totals'][CacheTier] {
  const nodes = forests.filter((forest) => forest.tier === tier).flatMap((forest) => forest.nodes)
  return { nodes: nodes.length, tokens: tokenCount(nodes.reduce((sum, { tokens }) => sum + tokens, 0)) }
}

function forestsOf(caches: readonly ModelCache[], scopePrefix: string): Forest[] {
  const disks = new Set<unknown>()
  return caches.flatMap(({ model, cache: { tree, ram } }) => {
    const forests: Forest[] = [
      { model, tier: 'hot', nodes: hotNodes(tree, scopePrefix) },
      { model, tier: 'ram', nodes: blockNodes(ram.pool.lastUsedFirst(), scopePrefix) },
    ]
    const { disk } = ram
    if (disk === undefined || disks.has(disk)) return forests
    disks.add(disk)
    return [...forests, { model, tier: 'disk', nodes: blockNodes(disk.lastUsedFirst(), scopePrefix) }]
  })
}

/** Merges without changing the order within a forest: there parents come before children, whatever the clock said. */
function* lastUsedFirst(forests: readonly Forest[]): Iterable<[Forest, TreeNode]> {
  const next = forests.map(() => 0)
  for (;;) {
    let best: { readonly index: number; readonly forest: Forest; readonly node: TreeNode } | undefined
    for (const [index, forest] of forests.entries()) {
      const node = forest.nodes[next[index] ?? 0]
      if (node !== undefined && (best === undefined || node.usedAt > best.node.usedAt)) best = { index, forest, node }
    }
    if (best === undefined) return
    next[best.index] = (next[best.index] ?? 0) + 1
    yield [best.forest, best.node]
  }
}

/** A node weighs at least what any below it does, and where they weigh the same it comes first. */
function heaviestFirst(forests: readonly Forest[], order: Exclude<PrefixOrder, 'used'>): Iterable<[Forest, TreeNode]> {
  const weighed = forests.flatMap((forest) => {
    const placed = new Map(forest.nodes.map((node, place) => [node, place]))
    const weights = forest.nodes.map((node) => ownWeight(node, order))
    for (let place = weights.length - 1; place >= 0; place--) {
      const { parent } = forest.nodes[place] as TreeNode
      const above = parent && placed.get(parent)
      if (above === undefined) continue
      const [weight, its] = [weights[place] ?? 0, weights[above] ?? 0]
      weights[above] = order === 'tokens' ? its + weight : Math.max(its, weight)
    }
    return forest.nodes.map((node, place) => ({ forest, node, weight: weights[place] ?? 0 }))
  })
  const sorted = weighed.sort(({ weight: left }, { weight: right }) => (left === right ? 0 : right > left ? 1 : -1))
  return sorted.map(({ forest, node }) => [forest, node])
}

function ownWeight({ tokens, hits, storedAt }: TreeNode, order: Exclude<PrefixOrder, 'used'>): number {
  if (order === 'age') return storedAt === undefined ? Infinity : -storedAt
  return order === 'tokens' ? tokens : hits
}

function shown({ model, tier }: Forest, node: TreeNode, parent: number | undefined): CachedPrefix {
  return {
    id: node.id,
    model,
    scopeKey: node.scope,
    tier,
    start: tokenCount(node.start),
    tokens: tokenCount(node.tokens),
    depth: node.depth,
    parent,
    children: node.children,
    hits: node.hits,
    storedAt: node.storedAt === undefined ? undefined : epochMs(node.storedAt),
    usedAt: epochMs(node.usedAt),
  }
}
