import type { Breakpoint } from '../domain/prompt.ts'
import type { Warning } from '../domain/warning.ts'
import type { TakesMark } from './markable.ts'

export type MarkLife = Breakpoint['ttl']

/** A cache mark as it is to be sent. */
export interface SlotMark {
  readonly life: MarkLife
  /** The value of `cache_control`. A client's own text is carried, never rebuilt. */
  readonly json: string
  /**
   * `client`: stands in the client's own body, its life is never touched. `translated`: the client's, from another
   * dialect. `planned`: ours, the first to go.
   */
  readonly origin: 'client' | 'translated' | 'planned'
}

/** A place where a mark stands or could stand. Content of a block comes right after that block. */
export interface MarkSlot {
  /** JSON pointer of the block, for warnings. */
  readonly where: string
  readonly level: 'tools' | 'system' | 'messages'
  readonly takes: TakesMark
  readonly mark: SlotMark | undefined
}

/** A mark and the slots, by index, where it stood and where it is to stand. */
export interface PlacedMark {
  readonly from: number
  readonly slot: number
  readonly mark: SlotMark
}

/** Marks that an Anthropic upstream takes. */
export interface LegalMarks {
  /** In render order, at most one for each slot. */
  readonly placed: readonly PlacedMark[]
  /** The top-level mark, which the upstream puts on the last block that takes one. */
  readonly automatic: SlotMark | undefined
  readonly warnings: readonly Warning[]
}

/** What `legalMarks` is asked. */
export interface MarkQuery {
  /** In render order: tools, system, messages. */
  readonly slots: readonly MarkSlot[]
  readonly automatic: SlotMark | undefined
  readonly max: number
}

const minutes: Readonly<Record<MarkLife, number>> = { '5m': 5, '30m': 30, '1h': 60, '12h': 720 }

/**
 * Makes cache marks legal, and leaves legal ones as they are: off the blocks that take none, at most `max`, and
 * among the lives that are not a client's own none longer behind a shorter one.
 *
 * @example legalMarks({ slots, automatic: undefined, max: 4 }).placed
 */
export function legalMarks({ slots, automatic, max }: MarkQuery): LegalMarks {
  const warnings: Warning[] = []
  const { explicit, moving, shared } = settleAutomatic({
    slots,
    settled: settle(slots, warnings),
    automatic,
    warnings,
  })
  const automaticSlots = moving === undefined || shared !== undefined ? 0 : 1
  const kept = fit({ slots, placed: explicit, automatic: automaticSlots, shared, max, warnings })
  const lasting = max > 0 ? moving : undefined
  if (lasting !== moving) warnings.push(dropped(automaticPlace, '0 marks allowed'))
  return { ...ordered({ slots, kept, automatic: lasting, warnings }), warnings }
}

/** The value of `cache_control` for a life; the shortest is what a bare mark gives. */
export function markJson(life: MarkLife): string {
  return life === '5m' ? '{"type":"ephemeral"}' : `{"type":"ephemeral","ttl":"${life}"}`
}

const automaticPlace = '/cache_control'

/** Moves marks from blocks that take none to the last block before them that does. */
function settle(slots: readonly MarkSlot[], warnings: Warning[]): PlacedMark[] {
  const placed = new Map<number, PlacedMark>()
  /** The last slot before that takes a mark. */
  let slot = -1
  for (const [from, { mark, takes, where }] of slots.entries()) {
    if (takes === 'mark') slot = from
    if (mark === undefined) continue
    if (takes === 'mark' || takes === 'unknown') {
      placed.set(from, { from, slot: from, mark })
      continue
    }
    const target = slots[slot]
    if (target === undefined) warnings.push(dropped(where, `it stood on ${takes}, and no block before takes one`))
    else if (placed.has(slot) || target.mark !== undefined) {
      warnings.push(dropped(where, `it stood on ${takes}, and the block before (${target.where}) has one`))
    } else {
      placed.set(slot, { from, slot, mark })
      warnings.push({ code: 'mark_moved', where, detail: `from ${takes} to ${target.where}` })
    }
  }
  return [...placed.values()].sort((a, b) => a.slot - b.slot)
}

interface SettledAutomatic {
  readonly explicit: readonly PlacedMark[]
  readonly moving: SlotMark | undefined
  /** The equal mark that it falls on. While that one stands, it takes none of the allowed places. */
  readonly shared: PlacedMark | undefined
}

/** The automatic mark falls on the last markable block: beside an equal mark it is free, beside another it is refused. */
function settleAutomatic(place: {
  readonly slots: readonly MarkSlot[]
  readonly settled: readonly PlacedMark[]
  readonly automatic: SlotMark | undefined
  readonly warnings: Warning[]
}): SettledAutomatic {
  const { slots, settled, automatic, warnings } = place
  if (automatic === undefined) return { explicit: settled, moving: undefined, shared: undefined }
  const last = slots.findLastIndex((slot) => slot.takes === 'mark')
  const beside = settled.find((placed) => placed.slot === last)
  if (beside === undefined) return { explicit: settled, moving: automatic, shared: undefined }
  if (beside.mark.origin === 'planned') {
    // The client's own mark is there already.
    return { explicit: settled.filter((placed) => placed !== beside), moving: automatic, shared: undefined }
  }
  if (beside.mark.life === automatic.life) return { explicit: settled, moving: automatic, shared: beside }
  const detail = `its life is ${automatic.life}, the last block (${slots[last]?.where}) is marked for ${beside.mark.life}`
  warnings.push(dropped(automaticPlace, detail))
  return { explicit: settled, moving: undefined, shared: undefined }
}

/** Drops what is too much: planned marks first, and of equal origin those that hold the least. */
function fit(place: {
  readonly slots: readonly MarkSlot[]
  readonly placed: readonly PlacedMark[]
  readonly automatic: number
  readonly shared: PlacedMark | undefined
  readonly max: number
  readonly warnings: Warning[]
}): readonly PlacedMark[] {
  const { slots, placed, automatic, shared, max, warnings } = place
  const total = placed.length + automatic
  if (total <= max) return placed
  const lastOfLevel = new Map(placed.map(({ slot }) => [slots[slot]?.level, slot]))
  const rank = (entry: PlacedMark, index: number): number => {
    const { slot, mark } = entry
    const level = slots[slot]?.level
    const endsLevel = lastOfLevel.get(level) === slot
    // Without the mark it shares, the automatic one would take its place.
    if (entry === shared) return 20
    const isLatest = automatic === 0 && index === placed.length - 1
    // Earlier marks in messages hold least: those behind them read the same prefix.
    const worth = isLatest ? 3 : level === 'messages' ? 0 : endsLevel ? 2 : 1
    return (mark.origin === 'planned' ? 0 : 10) + worth
  }
  const order = placed.map((entry, index) => ({ entry, rank: rank(entry, index) })).sort((a, b) => a.rank - b.rank)
  const out = new Set(order.slice(0, total - max).map(({ entry }) => entry))
  for (const { from } of out) warnings.push(dropped(slots[from]?.where ?? '', `${total} marks, ${max} allowed`))
  return placed.filter((entry) => !out.has(entry))
}

/** Settles lives so that none is longer behind a shorter one, as far as they are not a client's own. */
function ordered(place: {
  readonly slots: readonly MarkSlot[]
  readonly kept: readonly PlacedMark[]
  readonly automatic: SlotMark | undefined
  readonly warnings: Warning[]
}): Pick<LegalMarks, 'placed' | 'automatic'> {
  const { slots, kept, automatic, warnings } = place
  const marks = automatic === undefined ? kept.map(({ mark }) => mark) : [...kept.map(({ mark }) => mark), automatic]
  const lives = agreedLives(marks)
  const settled = marks.map((mark, index): SlotMark => {
    const life = lives[index] ?? mark.life
    const where = slots[kept[index]?.from ?? -1]?.where ?? automaticPlace
    if (isBehindShorter(lives, index)) {
      const detail = `a life of ${life} after a shorter one: the upstream will refuse it`
      warnings.push({ code: 'mark_order', where, detail })
    }
    if (life === mark.life) return mark
    warnings.push({ code: 'ttl_changed', where, detail: `from ${mark.life} to ${life}: longer lives must come first` })
    return { ...mark, life, json: markJson(life) }
  })
  return {
    placed: kept.map((placed, index) => ({ ...placed, mark: settled[index] ?? placed.mark })),
    automatic: automatic === undefined ? undefined : settled.at(-1),
  }
}

function agreedLives(marks: readonly SlotMark[]): MarkLife[] {
  let shortest: MarkLife | undefined
  // Behind a client's own shorter mark, ours is lowered to it.
  const capped = marks.map((mark) => {
    if (mark.origin === 'client') {
      if (shortest === undefined || minutes[mark.life] < minutes[shortest]) shortest = mark.life
      return { mark, life: mark.life, cap: shortest }
    }
    return { mark, life: shortest === undefined ? mark.life : shorter(mark.life, shortest), cap: shortest }
  })
  let longest: MarkLife = '5m'
  // Before a longer one, ours is raised to it. That costs nothing: up to the last mark of a longer life, all that is
  // written is written at its rate.
  return capped
    .toReversed()
    .map(({ mark, life, cap }) => {
      const raised = mark.origin === 'client' ? life : longer(life, cap === undefined ? longest : shorter(longest, cap))
      longest = longer(longest, raised)
      return raised
    })
    .toReversed()
}

function isBehindShorter(lives: readonly MarkLife[], index: number): boolean {
  const own = minutes[lives[index] ?? '5m']
  return lives.slice(0, index).some((life) => minutes[life] < own)
}

function shorter(a: MarkLife, b: MarkLife): MarkLife {
  return minutes[a] < minutes[b] ? a : b
}

function longer(a: MarkLife, b: MarkLife): MarkLife {
  return minutes[a] > minutes[b] ? a : b
}

function dropped(where: string, detail: string): Warning {
  return { code: 'mark_dropped', where, detail }
}
