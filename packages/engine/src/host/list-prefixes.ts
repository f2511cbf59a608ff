import { epochMs, tokenCount } from '@incipit/core'
import type { KvCache } from '../cache/kv-cache.ts'
import type { TreeNode } from '../cache/tree-view.ts'
import { blockNodes, hotNodes } from '../cache/tree-view.ts'
import type { CachedPrefix, CachedPrefixes, CacheTier, PrefixQuery } from '../engine.ts'

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
 * What is cached in every tier, those used last first. Instances that share a disk tier have its nodes listed once.
 * @example listPrefixes([{ model: 'demo', cache }], { scopePrefix: '', limit: 100 })
 */
export function listPrefixes(
  caches: readonly ModelCache[],
  { scopePrefix = '', limit }: Pick<PrefixQuery, 'scopePrefix' | 'limit'>,
): CachedPrefixes {
  const forests = forestsOf(caches, scopePrefix)
  const placed = new Map<TreeNode, number>()
  const nodes: CachedPrefix[] = []
  for (const [forest, node] of lastUsedFirst(forests)) {
    if (nodes.length === limit) return { nodes, truncated: true }
    placed.set(node, nodes.length)
    nodes.push(shown(forest, node, node.parent && placed.get(node.parent)))
  }
  return { nodes, truncated: false }
}

function forestsOf(caches: readonly ModelCache[], scopePrefix: string): Forest[] {
  const disks = new Set<unknown>()
  return caches.flatMap(({ model, cache: { tree, ram } }) => {
    const forests: Forest[] = [
      { model, tier: 'hot', nodes: hotNodes(tree, scopePrefix) },
      { model, tier: 'ram', nodes: blockNodes(ram.pool.warmestFirst(), scopePrefix) },
    ]
    const { disk } = ram
    if (disk === undefined || disks.has(disk)) return forests
    disks.add(disk)
    return [...forests, { model, tier: 'disk', nodes: blockNodes(disk.warmestFirst(), scopePrefix) }]
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

function shown({ model, tier }: Forest, node: TreeNode, parent: number | undefined): CachedPrefix {
  return {
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
