import type { EpochMs } from '@incipit/core'
import { epochMs } from '@incipit/core'
import type { EventFilter, Summary, SummaryQuery } from '../ledger/port.ts'
import { intervalStarts } from '../ledger/summary/intervals.ts'
import { TimeZone } from '../ledger/summary/time-zone.ts'

/** What was added up, and what rates are over. */
export interface TimeWindow {
  readonly since: EpochMs
  readonly until: EpochMs
}

/** Up to now, where the end is open or yet to come: rates are over time that has passed. */
export function windowOf({ since, until }: Summary, filter: EventFilter, now: EpochMs): TimeWindow {
  const end = filter.until === undefined ? Math.max(until, now) : Math.min(until, now)
  // Of a ledger without rows there is no first one to begin with.
  if (filter.since === undefined && since === 0 && until === 0) return { since: epochMs(end), until: epochMs(end) }
  return { since, until: epochMs(Math.max(since, end)) }
}

/**
 * How many milliseconds of the interval that begins at an instant lie in the window. A day of a clock change has 23 or
 * 25 hours.
 */
export function lengthsOf(
  { interval, timeZone }: Pick<SummaryQuery, 'interval' | 'timeZone'>,
  window: TimeWindow,
): (start: EpochMs | undefined) => number {
  if (interval === 'none') return () => window.until - window.since
  const zone = new TimeZone(timeZone)
  const ends = new Map<number, number>()
  return (start = window.since) => {
    if (!ends.has(start)) {
      // Of those that follow as well: most often they are asked for next.
      const starts = intervalStarts(interval, zone, { since: start, until: start + aheadMs[interval] })
      for (const [index, end] of starts.entries()) ends.set(starts[index - 1] ?? Number.NaN, end)
    }
    return Math.max(0, Math.min(ends.get(start) ?? start, window.until) - Math.max(start, window.since))
  }
}

const dayMs = 86_400_000
const aheadMs = { hour: 10 * dayMs, day: 100 * dayMs, week: 700 * dayMs, month: 1_000 * dayMs }
