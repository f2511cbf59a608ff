import { localZone } from '../format/times.ts'
import { setting } from './place.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Ranges to choose from, ending now; `undefined` reaches back to the first event. */
export const ranges = {
  '1h': { title: 'Last hour', ms: hourMs },
  '6h': { title: 'Last 6 hours', ms: 6 * hourMs },
  '24h': { title: 'Last 24 hours', ms: dayMs },
  '7d': { title: 'Last 7 days', ms: 7 * dayMs },
  '30d': { title: 'Last 30 days', ms: 30 * dayMs },
  '90d': { title: 'Last 90 days', ms: 90 * dayMs },
  all: { title: 'All time', ms: undefined },
} as const

export type RangeName = keyof typeof ranges

export const intervals = ['hour', 'day', 'week', 'month'] as const
export type Interval = (typeof intervals)[number]

/** How long an interval lasts, where its length is one; a month is drawn as 30 days. */
export const intervalMs: Readonly<Record<Interval, number>> = {
  hour: hourMs,
  day: dayMs,
  week: 7 * dayMs,
  month: 30 * dayMs,
}

/** `custom` when the address holds two moments of its own. */
export function rangeName(): RangeName | 'custom' {
  if (setting('since') !== undefined || setting('until') !== undefined) return 'custom'
  const name = setting('range')
  return name !== undefined && name in ranges ? (name as RangeName) : '24h' // looked up just now
}

/** The range as the end of a sentence. */
export function rangeWords(): string {
  const name = rangeName()
  if (name === 'custom') return 'in the chosen time'
  return name === 'all' ? 'so far' : `in the ${ranges[name].title.toLowerCase()}`
}

/** The time to ask for. What ends now is counted back from the gateway's clock, which need not be that of the browser. */
export function moments(): { readonly since: string | undefined; readonly until: string | undefined } {
  const name = rangeName()
  if (name === 'custom') return { since: setting('since'), until: setting('until') }
  return { since: name === 'all' ? undefined : `-${name}`, until: undefined }
}

/**
 * The interval the user chose, or one that gives a picture of 6 to 100 bars.
 * @param reached how far the answers reach, where the range itself does not say
 */
export function interval(reached: number | undefined): Interval {
  const chosen = intervals.find((name) => name === setting('interval'))
  if (chosen !== undefined) return chosen
  const days = (lengthMs() ?? reached ?? 60 * dayMs) / dayMs
  return days <= 3 ? 'hour' : days <= 92 ? 'day' : days <= 730 ? 'week' : 'month'
}

function lengthMs(): number | undefined {
  const name = rangeName()
  if (name !== 'custom') return ranges[name].ms
  const [since, until] = [Date.parse(setting('since') ?? ''), Date.parse(setting('until') ?? '')]
  const length = (Number.isNaN(until) ? Date.now() : until) - since
  return Number.isNaN(length) ? undefined : length
}

/** The zone in which days begin and times are shown. */
export function timeZone(): string {
  return setting('tz') === 'UTC' ? 'UTC' : localZone
}
