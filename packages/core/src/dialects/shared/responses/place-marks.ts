import type { Block, CacheMark, Conversation } from '../../../domain/conversation.ts'
import type { MarkRules } from '../../../domain/dialect.ts'
import type { Warning } from '../../../domain/warning.ts'
import { targetTtl } from '../mark-ttl.ts'
import { lostAutomatic } from '../place-marks.ts'
import type { MarkSite } from './mark-sites.ts'
import { markSites } from './mark-sites.ts'

type Ttl = MarkRules['ttls'][number]

const ascendingTtls: readonly (Ttl | undefined)[] = [undefined, '5m', '30m', '1h', '12h']

/** Where marks are to stand in a body. */
export interface PlacedMarks {
  readonly on: ReadonlySet<Block>
  /** The one life that all marks of a body have; `undefined` = the provider's own. */
  readonly ttl: Ttl | undefined
  readonly warnings: readonly Warning[]
}

/** A mark, and where the client put it. */
interface ClientMark {
  readonly where: string
  readonly mark: CacheMark
}

/**
 * Finds a legal place for each mark, counted after translation: its own block, else the nearest markable one
 * before it. A mark on a tool goes to the first instructions, which follow the tools. Of too many the latest stay.
 *
 * @example placeMarks(conversation, target.marks).on.has(block)
 */
export function placeMarks(conversation: Conversation, rules: MarkRules): PlacedMarks {
  const sites = markSites(conversation)
  if (rules.field !== 'prompt_cache_breakpoint') return noMarks(conversation, sites)
  const warnings: Warning[] = []
  const placed = keepLatest(assign(sites, warnings), rules.max, warnings)
  const marks = [...placed.values()].flat()
  const { automatic } = conversation.cache
  if (automatic !== undefined) marks.push({ where: 'automatic mark', mark: automatic })
  return { on: new Set(placed.keys()), ttl: commonTtl(marks, rules, warnings), warnings }
}

function noMarks(conversation: Conversation, sites: readonly MarkSite[]): PlacedMarks {
  const detail = 'this upstream takes no cache marks in this dialect'
  const warnings = sites.flatMap(({ mark, pointer }): Warning[] => {
    return mark === undefined ? [] : [{ code: 'mark_not_carried', where: pointer, detail }]
  })
  warnings.push(...lostAutomatic(conversation.cache.automaticPointer, detail))
  const ttl = conversation.cache.automatic?.ttl
  if (ttl !== undefined && conversation.cache.automaticPointer === undefined) {
    const detail = `a life of ${ttl} was asked for, this upstream has its own`
    warnings.push({ code: 'ttl_changed', where: 'automatic mark', detail })
  }
  return { on: new Set(), ttl: undefined, warnings }
}

/** The marks of each block that is to carry some, in the order rendered. */
function assign(sites: readonly MarkSite[], warnings: Warning[]): Map<Block, ClientMark[]> {
  const marks = new Map<Block, ClientMark[]>()
  const instructions = sites.find(({ kind, markable }) => kind === 'instructions' && markable !== undefined)?.markable
  let last: Block | undefined
  for (const { kind, mark, pointer: where, markable } of sites) {
    last = markable ?? last
    if (mark === undefined) continue
    const place = kind === 'tool' ? instructions : last
    if (place === undefined) {
      const detail = 'this dialect takes no mark there, nor on any block that could stand for it'
      warnings.push({ code: 'mark_not_carried', where, detail })
      continue
    }
    if (place !== markable) {
      const detail = `this dialect takes no mark there; it stands at ${place.pointer}`
      warnings.push({ code: 'mark_moved', where, detail })
    }
    const there = marks.get(place)
    if (there === undefined) marks.set(place, [{ where, mark }])
    else there.push({ where, mark })
  }
  const order = new Map(sites.map(({ markable }, index) => [markable, index]))
  return new Map([...marks].sort(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0)))
}

function keepLatest(
  placed: ReadonlyMap<Block, ClientMark[]>,
  max: number,
  warnings: Warning[],
): ReadonlyMap<Block, ClientMark[]> {
  const all = [...placed]
  const surplus = Math.max(0, all.length - max)
  for (const { where } of all.slice(0, surplus).flatMap(([, marks]) => marks)) {
    const detail = `${all.length} blocks are marked, ${max} allowed; the latest stay`
    warnings.push({ code: 'mark_dropped', where, detail })
  }
  return new Map(all.slice(surplus))
}

/** The longest life that any mark asks for: a shorter one would lose what another mark wants kept. */
function commonTtl(marks: readonly ClientMark[], rules: MarkRules, warnings: Warning[]): Ttl | undefined {
  const wanted = marks.map(({ mark, where }) => ({ where, ...targetTtl(mark, rules, where) }))
  const longest = ascendingTtls.findLast((ttl) => wanted.some((one) => one.ttl === ttl))
  for (const one of wanted) {
    warnings.push(...one.warnings)
    if (one.ttl === longest) continue
    const detail = `this dialect has one life for all marks of a request: ${longest ?? 'the shortest'}`
    warnings.push({ code: 'ttl_changed', where: one.where, detail })
  }
  return longest
}
