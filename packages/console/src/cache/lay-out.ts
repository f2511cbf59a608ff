import type { PictureNode } from './picture-node.ts'
import { pathTo } from './picture-node.ts'

/** A rectangle of the picture: a node, or the siblings that are too narrow to be drawn. */
export interface Cell {
  readonly id: string
  /** The node, or the one whose children these are. */
  readonly node: PictureNode
  /** The children that are gathered here, from which one on; `undefined` = the node itself. */
  readonly restFrom: number | undefined
  readonly x: number
  readonly width: number
  readonly row: number
  /** There is more below it than is drawn. */
  readonly deeper: boolean
}

/** What the picture is about: a node, or some of its children. */
export interface Focus {
  readonly node: PictureNode
  readonly from: number
}

export interface Canvas {
  readonly width: number
  /** Rows below the focus. */
  readonly rows: number
}

/** Below this many pixels a node is gathered with its siblings. */
const leastWidth = 9
/** How wide what is gathered may be at most. */
const restWidth = 84
const tierWidth = 72
/** Rows above the focus; those left out are reached step by step. */
const rowsAbove = 3

/**
 * Where to draw what. Above the focus stands where it hangs from, over the whole width; below it every node is as wide as
 * its share of the tokens, and its children lie under it, the largest first. What stays free under a node are tokens of
 * its own.
 */
export function layOut({ node, from }: Focus, { width, rows }: Canvas): readonly Cell[] {
  const path = pathTo(node)
  const shown = path.length <= rowsAbove + 1 ? path : [path[0] as PictureNode, ...path.slice(-rowsAbove)]
  const cells = shown.map((above, row): Cell => {
    return { id: above.id, node: above, restFrom: undefined, x: 0, width, row, deeper: false }
  })
  place({ node, from, x: 0, width: from === 0 ? under(node, width) : width }, shown.length, {
    cells,
    lastRow: shown.length + rows - 1,
  })
  return cells
}

interface Span {
  readonly node: PictureNode
  readonly from: number
  readonly x: number
  readonly width: number
}

/** Draws the children of a node, in the pixels that are theirs. */
function place({ node, from, x, width }: Span, row: number, on: { cells: Cell[]; lastRow: number }): void {
  const children = node.children.slice(from)
  const widths = node.tier === undefined ? tierWidths(children, width) : widthsOf(children, width)
  let at = x
  for (const [index, own] of widths.entries()) {
    const child = children[index] as PictureNode
    const isLast = row === on.lastRow
    const cell = { id: child.id, node: child, restFrom: undefined, x: at, width: own, row }
    on.cells.push({ ...cell, deeper: isLast && child.children.length > 0 })
    if (!isLast) place({ node: child, from: 0, x: at, width: under(child, own) }, row + 1, on)
    at += own
  }
  const left = x + width - at
  if (widths.length < children.length && left >= 2) {
    const restFrom = from + widths.length
    on.cells.push({ id: `${node.id}~${restFrom}`, node, restFrom, x: at, width: left, row, deeper: false })
  }
}

/** Pixels of a node under which its children lie. */
function under({ own, size }: PictureNode, width: number): number {
  return size === 0 ? 0 : (width * (size - own)) / size
}

/** Three tiers are always to be seen, whatever they hold. */
function tierWidths(tiers: readonly PictureNode[], width: number): readonly number[] {
  const least = Math.min(tierWidth, width / tiers.length)
  const wanted = widthsInAll(tiers, width).map((share) => Math.max(least, share))
  const surplus = wanted.reduce((sum, own) => sum + own, 0) - width
  const above = wanted.reduce((sum, own) => sum + own - least, 0)
  return wanted.map((own) => (above === 0 ? own : own - (surplus * (own - least)) / above))
}

/** Of the largest, as many as can be drawn; the others share what is left. */
function widthsOf(children: readonly PictureNode[], width: number): readonly number[] {
  const shares = widthsInAll(children, width)
  if ((shares.at(-1) ?? 0) >= leastWidth) return shares
  const room = width - Math.min(restWidth, width / 4)
  let [count, sum] = [0, 0]
  for (const share of shares) {
    if ((room * share) / (sum + share) < leastWidth) break
    count++
    sum += share
  }
  // Where the others are narrower than the room that is kept for them, that is all they get.
  return shares.slice(0, count).map((share) => Math.max(share, (room * share) / sum))
}

function widthsInAll(children: readonly PictureNode[], width: number): readonly number[] {
  const total = children.reduce((sum, { size }) => sum + size, 0)
  return children.map(({ size }) => (total === 0 ? 0 : (width * size) / total))
}
