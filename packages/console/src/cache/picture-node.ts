import type { PrefixList, PrefixRow, Tier } from '../api/engine.ts'
import { tiers } from '../api/engine.ts'

/** A node of the picture: everything, a tier, or a prefix. */
export interface PictureNode {
  readonly id: string
  /** `undefined` = everything. */
  readonly tier: Tier | undefined
  /** What the API says of it; `undefined` where it is no prefix. */
  readonly row: PrefixRow | undefined
  readonly parent: PictureNode | undefined
  /** The largest first. */
  readonly children: readonly PictureNode[]
  /** Its own tokens, and those of all below it. */
  readonly own: number
  readonly size: number
  /** Prefixes in it: itself, and all below. */
  readonly count: number
}

interface Growing extends PictureNode {
  children: Growing[]
  size: number
  count: number
}

/** What the tree hangs from. */
export const everything = 'all'

/**
 * The list of prefixes as a tree, a branch for each tier.
 * @example pictureTree(answer).children.map(({ tier, size }) => [tier, size])
 */
export function pictureTree({ data = [] }: PrefixList): PictureNode {
  const root = grow({ id: everything, tier: undefined, row: undefined, parent: undefined, own: 0 })
  const heads = new Map(tiers.map((tier) => [tier, grow({ id: tier, tier, row: undefined, parent: root, own: 0 })]))
  const placed: Growing[] = []
  for (const row of data) {
    const parent = row.parent === null ? heads.get(row.tier) : placed[row.parent]
    const node = grow({ id: row.id, tier: row.tier, row, parent: parent ?? root, own: row.tokens })
    placed.push(node)
    parent?.children.push(node)
  }
  // Parents come before children: from behind, every sum is complete when it is added to the one above.
  for (const node of placed.toReversed()) addUp(node)
  for (const head of heads.values()) {
    if (head.children.length === 0) continue
    root.children.push(head)
    addUp(head)
  }
  largestFirst(root)
  for (const head of heads.values()) largestFirst(head)
  for (const node of placed) largestFirst(node)
  return root
}

/** Finds a node by its id, wherever it is. */
export function findNode(root: PictureNode, id: string): PictureNode | undefined {
  return [...nodesBelow(root)].find((node) => node.id === id)
}

/** A node and all below it, parents first. */
export function* nodesBelow(root: PictureNode): Iterable<PictureNode> {
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node
    open.push(...node.children.toReversed())
  }
}

/** From the top down to the node itself. */
export function pathTo(node: PictureNode): readonly PictureNode[] {
  const path: PictureNode[] = []
  for (let at: PictureNode | undefined = node; at !== undefined; at = at.parent) path.unshift(at)
  return path
}

function grow(node: Pick<PictureNode, 'id' | 'tier' | 'row' | 'parent' | 'own'>): Growing {
  return { ...node, children: [], size: node.own, count: node.row === undefined ? 0 : 1 }
}

function addUp(node: Growing): void {
  const above = node.parent as Growing | undefined // as it was grown here
  if (above === undefined) return
  above.size += node.size
  above.count += node.count
}

/** Tiers keep their own order. */
function largestFirst({ id, children }: Growing): void {
  if (id !== everything) children.sort((one, other) => other.size - one.size)
}
