import type { EpochMs } from '@incipit/core'
import { epochMs } from '@incipit/core'
import { badParameter, quoted } from './control-query.ts'
import { TimeZone } from '../ledger/summary/time-zone.ts'

/** What a time is read against. */
export interface TimeFrame {
  readonly now: EpochMs
  /** Where a bare date begins: a name of the IANA database. */
  readonly timeZone: string
}

const forms =
  'a date (2026-11-01), a time with its zone (2026-11-01T09:30:00Z or +01:00), milliseconds since 1970, now, or a time ago (-90s, -30m, -24h, -7d, -2w)'

/**
 * An instant of a query string.
 * @throws IncipitError `invalid_request` naming the parameter
 * @example instantFrom('-24h', 'since', { now: clock.now(), timeZone: 'UTC' })
 */
export function instantFrom(text: string, name: string, frame: TimeFrame): EpochMs {
  const found = milliseconds(text) ?? ago(text, frame.now) ?? calendarTime(text, frame.timeZone)
  if (found !== undefined) return found
  const zoneless = timeForm.exec(text)
  const why = zoneless !== null && zoneless[8] === undefined ? ' (a time without a zone)' : ''
  throw badParameter(name, `${name} is ${quoted(text)}${why}, allowed are ${forms}`)
}

function milliseconds(text: string): EpochMs | undefined {
  return /^\d{12,14}$/.test(text) ? epochMs(Number(text)) : undefined
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** A day ago is 24 hours ago, whatever clocks did since. */
function ago(text: string, now: EpochMs): EpochMs | undefined {
  if (text === 'now') return now
  const [, count, unit = ''] = /^-(\d{1,6})([smhdw])$/.exec(text) ?? []
  const length = units[unit]
  return count === undefined || length === undefined ? undefined : epochMs(now - Number(count) * length)
}

// A `+` that was not encoded arrives as a space.
const timeForm =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,9})?)?([Zz]|[+\- ](?:0\d|1[0-4]):?[0-5]\d)?)?$/

function calendarTime(text: string, timeZone: string): EpochMs | undefined {
  const [, ...parts] = timeForm.exec(text) ?? []
  const [year = 0, month = 0, day = 0, hour, minute, second = 0] = parts.slice(0, 6).map(numberOf)
  if (year < 1970 || !isDay(year, month, day)) return undefined
  if (hour === undefined) return epochMs(new TimeZone(timeZone).instantOf(Date.UTC(year, month - 1, day)))
  const [fraction = '.', zone] = parts.slice(6)
  if (zone === undefined) return undefined
  const thousandths = Number(fraction.slice(1, 4).padEnd(3, '0'))
  return epochMs(Date.UTC(year, month - 1, day, hour, minute, second, thousandths) - offsetMs(zone))
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits)
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function offsetMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0
  return (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))) * 60_000
}
