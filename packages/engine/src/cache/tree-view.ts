import { randomBytes } from 'node:crypto'
import { blockTokens } from './block-key.ts'
import type { BlockView } from './block-shelf.ts'
import type { PrefixNodeView, PrefixTree } from './prefix-tree.ts'

/** A run of cached tokens, and where it lies in the tree of its tier. */
export interface TreeNode {
  /** The same as long as it is there, and of no other of its tier. */
  readonly id: string
  readonly scope: string
  readonly parent: TreeNode | undefined
  /** Nodes above it. */
  readonly depth: number
  /** Position of its first token. */
  readonly start: number
  readonly tokens: number
  readonly children: number
  readonly hits: number
  /** Milliseconds since 1970; `undefined` where nobody knows any more. */
  readonly storedAt: number | undefined
  readonly usedAt: number
}

interface Run extends TreeNode {
  tokens: number
  children: number
  storedAt: number | undefined
  usedAt: number
}

/**
 * The nodes of a tree of live KV state, those used last first, parents before children.
 * @example hotNodes(cache.tree, scopePrefix)[0]?.tokens
 */
export function hotNodes(tree: PrefixTree, scopePrefix: string): readonly TreeNode[] {
  const placed = new Map<PrefixNodeView, TreeNode>()
  for (const node of tree.nodes(scopePrefix)) {
    const parent = node.parent === undefined ? undefined : placed.get(node.parent)
    placed.set(node, {
      id: idOf(node),
      scope: node.scope,
      parent,
      depth: depthBelow(parent),
      start: node.start,
      tokens: node.end - node.start,
      children: node.children.size,
      hits: node.hits + node.partHits,
      storedAt: node.storedAt,
      usedAt: node.lastUsedAt,
    })
  }
  return [...placed.values()]
}

/**
 * Blocks as a tree of runs: those that follow each other without a branch, and were reused equally often, are one.
 * The first runs are those of the first blocks, but parents come before children.
 *
 * @example blockNodes(pool.warmestFirst(), '')
 */
export function blockNodes(blocks: Iterable<BlockView>, scopePrefix: string): readonly TreeNode[] {
  const byKey = new Map<string, BlockView>()
  const children = new Map<string, number>()
  for (const block of blocks) {
    if (!block.scope.startsWith(scopePrefix)) continue
    byKey.set(block.key, block)
    if (block.parentKey !== undefined) children.set(block.parentKey, (children.get(block.parentKey) ?? 0) + 1)
  }
  const runs: Run[] = []
  const runOf = new Map<string, Run>()
  for (const first of byKey.values()) {
    for (const block of unplaced(first, byKey, runOf).toReversed()) {
      const { key, parentKey = '' } = block
      const parent = runOf.get(parentKey)
      const isOnlyChild = children.get(parentKey) === 1
      if (parent !== undefined && isOnlyChild && parent.hits === block.hits) {
        prolong(parent, block)
        runOf.set(key, parent)
        continue
      }
      const run = begin(block, parent)
      runs.push(run)
      runOf.set(key, run)
    }
  }
  return runs
}

/** A block and those above it that have no run yet, from below. */
function unplaced(
  first: BlockView,
  byKey: ReadonlyMap<string, BlockView>,
  runOf: ReadonlyMap<string, Run>,
): BlockView[] {
  const chain: BlockView[] = []
  for (let at: BlockView | undefined = first; at !== undefined && !runOf.has(at.key);) {
    chain.push(at)
    at = at.parentKey === undefined ? undefined : byKey.get(at.parentKey)
  }
  return chain
}

function begin(block: BlockView, parent: Run | undefined): Run {
  if (parent !== undefined) parent.children++
  return {
    id: block.key,
    scope: block.scope,
    parent,
    depth: depthBelow(parent),
    // A run ends where another one begins below it.
    start: parent === undefined ? 0 : parent.start + parent.tokens,
    tokens: blockTokens,
    children: 0,
    hits: block.hits,
    storedAt: block.storedAt,
    usedAt: block.usedAt,
  }
}

function prolong(run: Run, { storedAt, usedAt }: BlockView): void {
  run.tokens += blockTokens
  run.storedAt = run.storedAt === undefined || storedAt === undefined ? undefined : Math.min(run.storedAt, storedAt)
  run.usedAt = Math.max(run.usedAt, usedAt)
}

function depthBelow(parent: TreeNode | undefined): number {
  return parent === undefined ? 0 : parent.depth + 1
}

/** Nodes of live state have no name of their own. They are numbered as they are shown, from a start nobody else has. */
const firstId = randomBytes(8).readBigUInt64BE()
const numbers = new WeakMap<PrefixNodeView, bigint>()
let numbered = 0n

function idOf(node: PrefixNodeView): string {
  let number = numbers.get(node)
  if (number === undefined) numbers.set(node, (number = firstId + numbered++))
  return number.toString(16)
}
