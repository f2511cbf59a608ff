/** The zone of this browser. */
export const localZone: string = Intl.DateTimeFormat().resolvedOptions().timeZone

const formats = new Map<string, Intl.DateTimeFormat>()

/** @example momentText('2026-11-25T23:54:34Z', 'UTC') // 'Nov 25, 23:54:34' */
export function momentText(at: string | number, timeZone: string): string {
  return text(at, timeZone, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
}

/** The same with year and zone, where there is room. */
export function fullMomentText(at: string | number, timeZone: string): string {
  return text(at, timeZone, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    timeZoneName: 'short',
  })
}

/** The name of an interval by its start. */
export function intervalText(start: number, interval: string, timeZone: string): string {
  if (interval === 'month') return text(start, timeZone, { year: 'numeric', month: 'long' })
  if (interval === 'hour') {
    return text(start, timeZone, {
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  }
  const day = text(start, timeZone, { year: 'numeric', month: 'short', day: 'numeric' })
  return interval === 'week' ? `week of ${day}` : day
}

function text(at: string | number, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return String(at)
  const name = JSON.stringify([timeZone, options])
  let format = formats.get(name)
  if (format === undefined) {
    format = new Intl.DateTimeFormat(undefined, { ...options, timeZone })
    formats.set(name, format)
  }
  return format.format(date)
}
