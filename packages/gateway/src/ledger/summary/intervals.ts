import { IncipitError } from '@incipit/core'
import type { SummaryInterval } from '../port.ts'
import type { TimeZone } from './time-zone.ts'

/** Intervals between two instants at most: two years of hours. */
export const maxIntervals = 20_000

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * The starts of all intervals of a calendar that have a part between two instants, in order; the first one may lie
 * before `since`. A day begins at midnight, or when clocks jump over it; an hour that clocks show twice is two.
 *
 * @throws IncipitError invalid_request, param `interval`, where there are too many
 * @example intervalStarts('day', new TimeZone('Europe/Berlin'), { since, until })
 */
export function intervalStarts(
  interval: Exclude<SummaryInterval, 'none'>,
  zone: TimeZone,
  range: { readonly since: number; readonly until: number },
): number[] {
  if (range.until <= range.since) return []
  const most = (range.until - range.since) / shortestMs[interval]
  if (most > maxIntervals) {
    const message = `${Math.ceil(most)} intervals of one ${interval} are more than ${maxIntervals}: narrow since and until`
    throw new IncipitError('invalid_request', message, { param: 'interval' })
  }
  return interval === 'hour' ? hours(zone, range) : dates(interval, zone, range)
}

const shortestMs = { hour: hourMs, day: dayMs, week: 7 * dayMs, month: 28 * dayMs }

function hours(zone: TimeZone, { since, until }: { since: number; until: number }): number[] {
  const starts: number[] = []
  // Between two changes of the clocks, hours are evenly spaced.
  for (let from = firstChangeBefore(zone, since); from < until;) {
    const to = changeAfter(zone, from, until)
    const offset = zone.offsetAt(from)
    starts.push(from)
    const next = (Math.floor((from + offset) / hourMs) + 1) * hourMs - offset
    for (let at = next; at < to; at += hourMs) starts.push(at)
    from = to
  }
  const first = starts.findLastIndex((start) => start <= since)
  return starts.slice(Math.max(0, first)).filter((start) => start < until)
}

/** The hour in which `since` lies begins here: on the hour, or at a change of the clocks in between. */
function firstChangeBefore(zone: TimeZone, since: number): number {
  const start = Math.floor(zone.localOf(since) / hourMs) * hourMs - zone.offsetAt(since)
  return zone.changeBetween(start, since) ?? start
}

function changeAfter(zone: TimeZone, from: number, until: number): number {
  for (let at = from; at < until; at += dayMs) {
    const change = zone.changeBetween(at, Math.min(at + dayMs, until))
    if (change !== undefined) return change
  }
  return until
}

function dates(
  interval: 'day' | 'week' | 'month',
  zone: TimeZone,
  { since, until }: { since: number; until: number },
): number[] {
  const starts: number[] = []
  // One earlier than the date that clocks show: they may have been set back over its beginning.
  let date = previousDate(firstDate(interval, zone.localOf(since)), interval)
  for (let start = zone.instantOf(date); start < until; start = zone.instantOf(date)) {
    if (start <= since) starts.length = 0
    // A date that clocks jumped over is none.
    if (starts.at(-1) !== start) starts.push(start)
    date = nextDate(date, interval)
  }
  return starts
}

function firstDate(interval: 'day' | 'week' | 'month', local: number): number {
  const day = Math.floor(local / dayMs) * dayMs
  const date = new Date(day)
  if (interval === 'day') return day
  if (interval === 'week') return day - ((date.getUTCDay() + 6) % 7) * dayMs
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

function nextDate(date: number, interval: 'day' | 'week' | 'month'): number {
  return shiftDate(date, interval, 1)
}

function previousDate(date: number, interval: 'day' | 'week' | 'month'): number {
  return shiftDate(date, interval, -1)
}

function shiftDate(date: number, interval: 'day' | 'week' | 'month', by: number): number {
  if (interval === 'day') return date + by * dayMs
  if (interval === 'week') return date + by * 7 * dayMs
  const from = new Date(date)
  return Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + by, 1)
}
