import type { PrefixRow } from '../api/engine.ts'
import { lengthText } from '../format/amounts.ts'

/** How long ago it was last used. @example lastUsedText(row) // 'used 3 min ago' */
export function lastUsedText({ last_used: at }: PrefixRow): string {
  const ms = Date.now() - Date.parse(at)
  return Number.isNaN(ms) ? '' : ms < 1_000 ? 'used just now' : `used ${lengthText(ms)} ago`
}

/** How long it is there; what was there before the engine started has no age that is known. */
export function ageText({ age_ms: age }: PrefixRow): string {
  return age === null ? 'older than the process' : age < 1_000 ? 'a moment' : lengthText(age)
}
