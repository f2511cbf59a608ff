import { badParameter, quoted } from './control-query.ts'

/**
 * A time zone by its name in the IANA database. Offsets such as `+01:00` are none: they know no clock changes, and
 * not every Node takes them.
 *
 * @throws IncipitError `invalid_request`, param `tz`
 * @example timeZoneFrom('Europe/Berlin')
 */
export function timeZoneFrom(name: string): string {
  if (/^[A-Za-z][\w+\-/]{0,63}$/.test(name) && isKnown(name)) return name
  throw badParameter('tz', `tz is ${quoted(name)}, allowed are names of the IANA database such as UTC or Europe/Berlin`)
}

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
