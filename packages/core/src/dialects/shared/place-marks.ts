import type { Block, CacheMark, Conversation, Tool, Turn } from '../../domain/conversation.ts'
import type { MarkRules } from '../../domain/dialect.ts'
import type { Warning } from '../../domain/warning.ts'
import { isPart } from './chat-write-parts.ts'
import { targetTtl } from './mark-ttl.ts'
import { appendAll } from '../../domain/append.ts'

/** Where the marks of a conversation stand in a chat body. */
export interface PlacedMarks {
  /** The life to ask for at each marked tool or block; `undefined` = a bare mark. */
  readonly at: ReadonlyMap<Tool | Block, CacheMark>
  readonly warnings: readonly Warning[]
}

/** What could carry a mark, in the order rendered. */
interface Site {
  readonly place: Tool | Block
  readonly takes: boolean
  /** In the instructions that lead the conversation. */
  readonly leads: boolean
  readonly wanted: CacheMark | undefined
}

interface Placed {
  readonly site: number
  readonly mark: CacheMark
  readonly pointer: string
}

/**
 * Finds a place for each mark, after translation: content parts with text, images, files and audio take one, tools
 * only where `cache_control` is the word. A mark on anything else stands at the last place before it. Of more marks
 * than the target takes, the latest stay: they cover the earlier ones.
 *
 * @example placeMarks(conversation, target.marks).at.get(block)
 */
export function placeMarks(conversation: Conversation, rules: MarkRules): PlacedMarks {
  const sites = sitesOf(conversation, rules)
  const warnings: Warning[] = []
  const takers = takersOf(sites)
  const placed = sites.flatMap((_, index) => placeOf({ index, sites, rules, takers, warnings }))
  const bySite = new Map<number, Placed>()
  // In order of place; where two meet, the one that was written there wins over one that moved there.
  for (const mark of placed.sort((a, b) => a.site - b.site)) {
    if (!bySite.has(mark.site) || sites[mark.site]?.place.pointer === mark.pointer) bySite.set(mark.site, mark)
  }
  const all = [...bySite.values()]
  const dropped = all.slice(0, Math.max(0, all.length - rules.max))
  for (const { pointer } of dropped) {
    warnings.push({ code: 'mark_dropped', where: pointer, detail: `${all.length} marks, ${rules.max} taken` })
  }
  const at = new Map<Tool | Block, CacheMark>()
  for (const { site, mark, pointer } of all.slice(dropped.length)) {
    const place = sites[site]?.place
    const life = targetTtl(mark, rules, pointer)
    warnings.push(...life.warnings)
    if (place !== undefined) at.set(place, { ttl: life.ttl })
  }
  return { at, warnings }
}

/** Of each site the last one before it that takes a mark, and what tools' marks go to; -1 where there is none. */
interface Takers {
  readonly before: readonly number[]
  readonly leading: number
}

function takersOf(sites: readonly Site[]): Takers {
  let last = -1
  const before = sites.map(({ takes }, index) => {
    const found = last
    if (takes) last = index
    return found
  })
  return { before, leading: sites.findIndex(({ takes, leads }) => takes && leads) }
}

interface Placing {
  readonly index: number
  readonly sites: readonly Site[]
  readonly rules: MarkRules
  readonly takers: Takers
  readonly warnings: Warning[]
}

function placeOf({ index, sites, rules, takers, warnings }: Placing): Placed[] {
  const { wanted, place, takes } = sites[index] as Site
  if (wanted === undefined) return []
  const { pointer } = place
  if (takes) return [{ site: index, mark: wanted, pointer }]
  const to = rules.field === 'none' ? -1 : otherSite(place, takers.before[index], takers)
  if (to === -1) {
    warnings.push({ code: 'mark_not_carried', where: pointer, detail: 'there is no place for this mark upstream' })
    return []
  }
  const detail = `the mark stands at ${sites[to]?.place.pointer ?? ''}: none is taken where it stood`
  warnings.push({ code: 'mark_moved', where: pointer, detail })
  return [{ site: to, mark: wanted, pointer }]
}

/** A tool's mark goes to the first instruction behind the tools, any other to the last place before it. */
function otherSite(place: Tool | Block, before: number | undefined, { leading }: Takers): number {
  return isTool(place) ? leading : (before ?? -1)
}

function sitesOf({ tools, turns }: Conversation, rules: MarkRules): Site[] {
  const takesTools = rules.field === 'cache_control'
  const sites: Site[] = tools.map((place) => {
    return { place, takes: takesTools && place.kind === 'function', leads: false, wanted: place.mark }
  })
  let leads = true
  for (const turn of turns) {
    leads &&= turn.role === 'system' || turn.role === 'developer'
    for (const block of turn.blocks) appendAll(sites, blockSites(block, turn, leads))
  }
  return rules.field === 'none' ? sites.map((site) => ({ ...site, takes: false })) : sites
}

/** A tool result is written as one text; what stands in it and is no text is written behind it. */
function blockSites(block: Block, turn: Turn, leads: boolean): Site[] {
  if (block.kind !== 'tool-result') return [{ place: block, takes: takesMark(block, turn), leads, wanted: block.mark }]
  const inner = block.blocks.filter((part) => isResultText(part))
  const result = { place: block, takes: resultText(block) !== '', leads, wanted: markWithin(block, inner) }
  const rest = block.blocks.filter((part) => !isResultText(part))
  return [result, ...rest.map((part) => ({ place: part, takes: isPart(part), leads, wanted: part.mark }))]
}

function markWithin(result: Block, inner: readonly Block[]): CacheMark | undefined {
  return result.mark ?? inner.findLast(({ mark }) => mark !== undefined)?.mark
}

/** Assistants say text only, and no provider takes a mark on an empty one (D-16). */
function takesMark(block: Block, turn: Turn): boolean {
  if (!isPart(block) || block.kind === 'refusal') return false
  return block.kind === 'text' ? block.text !== '' : turn.role !== 'assistant'
}

function isTool(place: Tool | Block): place is Tool {
  return place.kind === 'function' || place.kind === 'hosted'
}

/** Whether a block inside a tool result is part of its text. */
export function isResultText(block: Block): boolean {
  return (
    block.kind === 'text' || block.kind === 'refusal' || (block.kind === 'document' && block.source.kind === 'text')
  )
}

/**
 * A warning where the client asked for a mark that follows the end of the prompt and none is sent. Where its dialect
 * has one without a word, nothing was asked for.
 */
export function lostAutomatic(automaticPointer: string | undefined, detail: string): Warning[] {
  return automaticPointer === undefined ? [] : [{ code: 'mark_not_carried', where: automaticPointer, detail }]
}

/** The text of a tool result, line feeds between its parts. */
export function resultText(result: Extract<Block, { readonly kind: 'tool-result' }>): string {
  const texts: string[] = []
  for (const block of result.blocks) {
    if (block.kind === 'text' || block.kind === 'refusal') texts.push(block.text)
    else if (block.kind === 'document' && block.source.kind === 'text') texts.push(block.source.text)
  }
  return texts.join('\n')
}
