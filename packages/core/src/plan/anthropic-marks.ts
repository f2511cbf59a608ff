import { bodyOf } from '../dialects/shared/scanned.ts'
import type { Edit } from '../domain/edit.ts'
import type { Prompt, Span } from '../domain/prompt.ts'
import type { Warning } from '../domain/warning.ts'
import type { JsonDocument, JsonNode } from '../json/json-document.ts'
import { mostCacheMarks } from '../rules/anthropic-defaults.ts'
import type { BodySlot } from './body-marks.ts'
import { bodySlots, clientMark } from './body-marks.ts'
import { leftOutRanges } from './left-out.ts'
import type { PlacedMark } from './legal-marks.ts'
import { legalMarks } from './legal-marks.ts'

/** Edits that make the cache marks of a body legal, and what became of each mark that changed. */
export interface MarkRepair {
  readonly edits: readonly Edit[]
  readonly warnings: readonly Warning[]
}

/**
 * Makes the client's own marks in a Messages body such as the API takes: none on empty text, thinking, deferred tools
 * or inside another block (D-16, D-17, D-18), and no more than it allows (D-13). A mark that has to leave its block
 * goes to the last one before that takes one; its text is carried as it stands. A wrong order of lives is the
 * client's: it stays and is warned of. A legal body gets no edits. What other edits take out of the body holds no mark
 * and takes none.
 *
 * @example const { edits, warnings } = repairMarks(prompt); const body = splice(prompt.body, edits)
 */
export function repairMarks(prompt: Prompt, gone: readonly Span[] = []): MarkRepair {
  if (prompt.breakpoints.length === 0) return { edits: [], warnings: [] }
  const { document } = bodyOf(prompt)
  const all = bodySlots(document)
  const slots = gone.length === 0 ? all : all.map((slot) => withoutGone(slot, document.span(slot.node), gone))
  const automatic = clientMark(document, 0)
  const legal = legalMarks({ slots, automatic, max: mostCacheMarks.value })
  const stays = new Set(legal.placed.filter(({ from, slot }) => from === slot).map(({ slot }) => slot))
  const edits = [
    ...(automatic !== undefined && legal.automatic === undefined ? takeOut(document, 0) : []),
    ...slots.flatMap(({ mark, node }, index) =>
      mark === undefined || stays.has(index) ? [] : takeOut(document, node),
    ),
    ...legal.placed.flatMap((placed) => (placed.from === placed.slot ? [] : putIn(document, slots, placed))),
  ]
  return { edits: edits.sort((a, b) => a.start - b.start || a.end - b.end), warnings: legal.warnings }
}

/** A block that is taken out as a whole, or a string of which nothing but its quotes is left. */
function withoutGone(slot: BodySlot, { start, end }: Span, gone: readonly Span[]): BodySlot {
  const isGone = gone.some((span) => span.start <= start + 1 && end - 1 <= span.end)
  return isGone ? { ...slot, takes: 'a block that is not carried', mark: undefined } : slot
}

/**
 * Takes every cache mark out of a Messages body: for the one more try after an upstream refused the marks (D-14).
 *
 * @example splice(prompt.body, stripMarks(prompt))
 */
export function stripMarks(prompt: Prompt): Edit[] {
  const { document } = bodyOf(prompt)
  const holders = [0, ...bodySlots(document).map(({ node }) => node)]
  return holders
    .filter((node) => clientMark(document, node) !== undefined)
    .flatMap((node) => leftOutRanges(document, node, 'cache_control'))
    .map((span) => edit('strip-mark', span, '', 'all cache marks are taken out'))
    .sort((a, b) => a.start - b.start)
}

function takeOut(document: JsonDocument, holder: JsonNode): Edit[] {
  const why = 'the upstream refuses a cache mark here, or this many'
  return leftOutRanges(document, holder, 'cache_control').map((span) => edit('drop-mark', span, '', why))
}

function putIn(document: JsonDocument, slots: readonly BodySlot[], { slot, mark }: PlacedMark): Edit[] {
  const target = slots[slot]
  if (target === undefined) return []
  const why = 'the last block before that takes a cache mark'
  const { start, end } = document.span(target.node)
  const at = (place: number): Span => ({ start: place, end: place })
  if (document.kind(target.node) === 'string') {
    // The API takes a string for one text block: its bytes stay, the block is put around them.
    const opening = edit('move-mark', at(start), '[{"type":"text","text":', why)
    return [opening, edit('move-mark', at(end), `,"cache_control":${mark.json}}]`, why)]
  }
  const present = document.find(target.node, 'cache_control')
  if (present !== undefined) return [edit('move-mark', document.span(present), mark.json, why)]
  const last = document.members(target.node).at(-1)
  const behind = last === undefined ? end - 1 : document.end(last.value)
  return [edit('move-mark', at(behind), `,"cache_control":${mark.json}`, why)]
}

function edit(name: string, { start, end }: Span, replacement: string, why: string): Edit {
  return { name, start, end, replacement: new TextEncoder().encode(replacement), why }
}
