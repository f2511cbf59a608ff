import type { CacheControls, CacheMark } from '../../../domain/conversation.ts'
import type { MarkRules } from '../../../domain/dialect.ts'
import type { Warning } from '../../../domain/warning.ts'
import type { MarkSlot, SlotMark } from '../../../plan/legal-marks.ts'
import { legalMarks } from '../../../plan/legal-marks.ts'
import { lostAutomatic } from '../place-marks.ts'
import { targetTtl } from '../mark-ttl.ts'
import type { WrittenBlock } from './written-block.ts'

/** Blocks of a whole body, by level. */
export interface WrittenLevels {
  readonly tools: readonly WrittenBlock[]
  readonly system: readonly WrittenBlock[]
  readonly messages: readonly WrittenBlock[]
}

/** Marks as they are to be written: values of `cache_control`. */
export interface WrittenMarks {
  readonly byBlock: ReadonlyMap<WrittenBlock, string>
  readonly automatic: string | undefined
  readonly warnings: readonly Warning[]
}

/** The mark that moves along; without a pointer nobody asked for it, and nobody is told where it goes. */
type AutomaticMark = Pick<CacheControls, 'automatic' | 'automaticPointer'>

/** Where it stands in a body, and in warnings. */
const automaticPlace = '/cache_control'

/** Settles the marks of a body once all blocks stand where they will stand (D-14). */
export function writeMarks(levels: WrittenLevels, cache: AutomaticMark, rules: MarkRules): WrittenMarks {
  const placed = (['tools', 'system', 'messages'] as const).flatMap((level) =>
    levels[level].map((block) => ({ block, level })),
  )
  if (rules.field !== 'cache_control')
    return withoutMarks(
      placed.map(({ block }) => block),
      cache,
    )
  const warnings: Warning[] = []
  const slots = placed.map(({ block, level }): MarkSlot => {
    const mark = block.mark === undefined ? undefined : translated(block.mark, rules, block.where, warnings)
    return { where: block.where, level, takes: block.takes, mark }
  })
  const alone = legalMarks({ slots, automatic: undefined, max: rules.max })
  const moving = automaticMark(cache, rules, { isFree: alone.placed.length < rules.max, slots, warnings })
  const legal = moving === undefined ? alone : legalMarks({ slots, automatic: moving, max: rules.max })
  const byBlock = new Map<WrittenBlock, string>()
  for (const { slot, mark } of legal.placed) {
    const block = placed[slot]?.block
    if (block !== undefined) byBlock.set(block, mark.json)
  }
  const told = legal.warnings.filter(({ where }) => where !== automaticPlace || cache.automaticPointer !== undefined)
  return { byBlock, automatic: legal.automatic?.json, warnings: [...warnings, ...told] }
}

function translated(mark: CacheMark, rules: MarkRules, where: string, warnings: Warning[]): SlotMark {
  const { ttl, warnings: changed } = targetTtl(mark, rules, where)
  warnings.push(...changed)
  const json = ttl === undefined ? '{"type":"ephemeral"}' : `{"type":"ephemeral","ttl":"${ttl}"}`
  return { life: ttl ?? rules.ttls[0] ?? '5m', json, origin: 'translated' }
}

function automaticMark(
  { automatic: mark, automaticPointer }: AutomaticMark,
  rules: MarkRules,
  place: { readonly isFree: boolean; readonly slots: readonly MarkSlot[]; readonly warnings: Warning[] },
): SlotMark | undefined {
  const { isFree, slots, warnings } = place
  if (mark === undefined) return undefined
  if (!rules.automatic) {
    warnings.push(...lostAutomatic(automaticPointer, 'this upstream takes no mark that moves along'))
    return undefined
  }
  if (isFree && slots.some(({ takes }) => takes === 'mark')) return translated(mark, rules, automaticPlace, warnings)
  if (automaticPointer !== undefined)
    warnings.push({ code: 'mark_dropped', where: automaticPointer, detail: `no slot is free, ${rules.max} allowed` })
  return undefined
}

function withoutMarks(blocks: readonly WrittenBlock[], { automaticPointer }: AutomaticMark): WrittenMarks {
  const places = blocks.filter(({ mark }) => mark !== undefined).map(({ where }) => where)
  const detail = 'this upstream takes no cache marks'
  const warnings = places.map((where): Warning => ({ code: 'mark_not_carried', where, detail }))
  warnings.push(...lostAutomatic(automaticPointer, detail))
  return { byBlock: new Map(), automatic: undefined, warnings }
}
