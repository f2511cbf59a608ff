import type { EpochMs } from '@incipit/core'
import type { IncomingHttpHeaders } from 'node:http'

const firstMs = 250
const longestMs = 4_000

/**
 * How long to wait before the next try: doubles from a quarter of a second up to four, of which a random part
 * is taken, so that many callers do not come back at once.
 *
 * @example retryDelayMs(1) // 125 to 250
 */
export function retryDelayMs(tries: number, random: () => number = Math.random): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.max(0, tries - 1))
  return Math.round(full / 2 + (full / 2) * random())
}

/**
 * What `retry-after-ms` or `retry-after` (seconds, or a date) asks for; `undefined` where nothing usable does.
 * @example retryAfterMs({ 'retry-after': '2' }, clock.now()) // 2000
 */
export function retryAfterMs(headers: IncomingHttpHeaders, now: EpochMs): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(exact) && exact >= 0) return exact
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
