import type { EpochMs } from '../domain/units.ts'
import type { Price, Rates } from './price.ts'
import type { PriceRow, UtcHours } from './price-row.ts'
import { isStandardTier, resolveRates } from './resolve-rates.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const dayMinutes = 1440

/** One row, ready to be compared with a request: numbers only. */
interface Cell {
  readonly price: Price
  readonly fromMs: number
  /** First instant after the last day. */
  readonly endMs: number
  readonly over: number
  readonly upTo: number
  readonly hours: readonly { from: number; until: number; days: readonly number[] | undefined }[] | undefined
}

/** All prices of one model in one list and tier, over time, prompt size and time of day. */
export class PriceSchedule {
  /** The one that counts first, first. */
  readonly #cells: readonly Cell[]

  /**
   * @throws RangeError when a row has a rate that is no decimal number, or finer than a picodollar per token
   * @example new PriceSchedule('local', rows, undefined).find(at, 9_727)
   */
  constructor(list: string, rows: readonly PriceRow[], tier: string | undefined) {
    this.#cells = rows.flatMap((row) => cellOf(list, row, tier)).sort(byPrecedence)
  }

  /** `promptTokens` undefined: what every size costs alike; rates that depend on the size are not known then. */
  find(at: EpochMs, promptTokens: number | undefined): Price | undefined {
    if (promptTokens === undefined) return this.#findForAnySize(at)
    for (const cell of this.#cells) {
      if (promptTokens > cell.over && promptTokens <= cell.upTo && isInForce(cell, at)) return cell.price
    }
    return undefined
  }

  #findForAnySize(at: EpochMs): Price | undefined {
    const sizes = new Set(this.#cells.flatMap(({ over, upTo }) => [over + 1, upTo]).filter(Number.isFinite))
    const found = [0, ...sizes].map((size) => this.find(at, size))
    const known = found.filter((price) => price !== undefined)
    const [first] = known
    if (first === undefined || known.length < found.length) return undefined
    return known.every((price) => price === first) ? first : { ...first, ...commonRates(known) }
  }
}

const rateNames = [
  'input',
  'read',
  'write5m',
  'write30m',
  'write1h',
  'write12h',
  'output',
  'storagePerTokenHour',
] as const satisfies readonly (keyof Rates)[]

function commonRates(prices: readonly Price[]): Rates {
  const common = (name: keyof Rates): Rates[typeof name] => {
    const rate = prices[0]?.[name]
    return prices.every((price) => price[name] === rate) ? rate : undefined
  }
  return Object.fromEntries(rateNames.map((name) => [name, common(name)])) as unknown as Rates // one entry per name
}

/** What rows call their rates; other names that are unverified are those of tiers. */
const rateWords: ReadonlySet<string> = new Set(['input', 'read', 'write', 'output', 'storage'])

function cellOf(list: string, row: PriceRow, tier: string | undefined): Cell[] {
  const rates = resolveRates(row, tier)
  if (rates === undefined) return []
  const { source, asOf, certainty, from, until, over, upTo, hours } = row
  // What nobody has confirmed of another tier does not matter here.
  const unverified = (row.unverified ?? []).filter((name) => rateWords.has(name) || name === tier?.toLowerCase())
  const id = priceId(list, row, tier)
  return [
    {
      price: { id, source, asOf, certainty, unverified, ...rates },
      fromMs: from === undefined ? -Infinity : dayStart(from),
      endMs: until === undefined ? Infinity : dayStart(until) + dayMs,
      over: over ?? -1,
      upTo: upTo ?? Infinity,
      hours: hours?.map(inMinutes),
    },
  ]
}

/**
 * The name of a row in the ledger: list, provider, model and first day, then what narrows it. A row that always held
 * has the day it was seen, or `to-` and its last day.
 *
 * @example priceId('local', row, 'batch') // 'local/openai/gpt-6-sol@2026-11-20>272000+batch'
 */
export function priceId(list: string, row: PriceRow, tier: string | undefined): string {
  const { provider, model, from, until, asOf, over, hours, revision } = row
  const day = from ?? (until === undefined ? asOf : `to-${until}`)
  const size = over === undefined ? '' : `>${over}`
  const time = hours === undefined ? '' : '+hours'
  const service = isStandardTier(tier) ? '' : `+${(tier ?? '').toLowerCase()}`
  const version = revision === undefined ? '' : `#${revision}`
  return `${list}/${provider}/${model}@${day}${size}${time}${service}${version}`
}

function byPrecedence(a: Cell, b: Cell): number {
  if (a.fromMs !== b.fromMs) return a.fromMs > b.fromMs ? -1 : 1
  const hours = Number(b.hours !== undefined) - Number(a.hours !== undefined)
  return hours === 0 ? Number(isSized(b)) - Number(isSized(a)) : hours
}

function isSized({ over, upTo }: Cell): boolean {
  return over >= 0 || upTo !== Infinity
}

function isInForce({ fromMs, endMs, hours }: Cell, at: EpochMs): boolean {
  if (at < fromMs || at >= endMs) return false
  if (hours === undefined) return true
  // The epoch began on a Thursday.
  const weekday = ((Math.floor(at / dayMs) + 3) % 7) + 1
  const minute = Math.floor(at / minuteMs) % dayMinutes
  return hours.some(
    ({ from, until, days }) => from <= minute && minute < until && (days === undefined || days.includes(weekday)),
  )
}

function inMinutes({ from, until, days }: UtcHours): {
  from: number
  until: number
  days: readonly number[] | undefined
} {
  return { from: minuteOf(from), until: minuteOf(until), days }
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
}

function dayStart(day: string): number {
  return Date.parse(`${day}T00:00:00Z`)
}
