import { tierNames } from '../api/engine.ts'
import { countText, shortCount } from '../format/amounts.ts'
import type { Cell } from './lay-out.ts'
import type { PictureNode } from './picture-node.ts'
import { lastUsedText } from './prefix-words.ts'

/** Pixels that a letter of a label takes, and what is free around it. */
const letterWidth = 6.9
const labelRoom = 16
const restRoom = 10

/** The most that can be said in so many pixels. */
export function labelOf({ node, restFrom }: Cell, width: number): string {
  const letters = Math.floor((width - (restFrom === undefined ? labelRoom : restRoom)) / letterWidth)
  return labelsOf(node, restFrom).find((label) => label.length <= letters) ?? ''
}

function labelsOf(node: PictureNode, restFrom: number | undefined): readonly string[] {
  if (restFrom !== undefined) {
    const count = countText(node.children.length - restFrom)
    return [`${count} smaller ones`, `${count} more`, `+${count}`, '…']
  }
  const { row, tier } = node
  const size = [`${countText(node.size)} tokens`, shortCount(node.size)]
  if (row === undefined) {
    const name = tier === undefined ? 'All tiers' : tierNames[tier]
    return [...size.map((text) => `${name} · ${text}`), name]
  }
  const all = `${countText(node.size)} tokens`
  const own = node.size === row.tokens ? all : `${all}, ${countText(row.tokens)} its own`
  const hits = row.hits === 0 ? 'never reused' : `reused ${countText(row.hits)} ×`
  const of = row.org === null ? row.model : `${row.model}, ${row.org}`
  return [
    `${of} · ${own} · ${hits} · ${lastUsedText(row)}`,
    `${own} · ${hits} · ${lastUsedText(row)}`,
    `${own} · ${hits}`,
    own,
    ...size,
  ]
}

/** All of it, for those who do not see it. */
export function wordsOf({ node, restFrom, deeper }: Cell): string {
  if (restFrom !== undefined) {
    const rest = node.children.slice(restFrom)
    const tokens = rest.reduce((sum, { size }) => sum + size, 0)
    return `${countText(rest.length)} smaller prefixes, ${countText(tokens)} tokens in and below them`
  }
  const { row, tier, size, count } = node
  const below = `${countText(size)} tokens in ${countText(count)} prefixes`
  if (row === undefined) return `${tier === undefined ? 'All tiers' : tierNames[tier]}: ${below}`
  const from = row.start === 0 ? 'an opening' : `going on at token ${countText(row.start)}`
  const more = node.children.length === 0 ? '' : `; with all below it ${below}${deeper ? ', not drawn' : ''}`
  const use = `reused ${countText(row.hits)} times, ${lastUsedText(row)}`
  return `${countText(row.tokens)} tokens of ${row.model}, ${from}, ${tierNames[row.tier]}, ${use}${more}`
}
