import type { Arrivals, PlanLife } from './savings-plan.ts'

/** How a cache lives, as far as requests meet it. */
export interface Life {
  readonly name: PlanLife
  /** `undefined` = longer than any gap. */
  readonly seconds: number | undefined
}

/** How many requests find what they share in the cache, and how many have to write it. */
export interface Forecast {
  readonly writes: number
  readonly reads: number
  /** Of the writes, those after a gap that was too long. */
  readonly expired: number
}

/**
 * Every request is one write or one read: the first one writes, so does each whose beginning has changed, and so does
 * each that comes after the life ran out since the last one.
 *
 * @example forecast({ requests: 100, changedShare: 0, arrivals: { kind: 'within-life' } }, { name: '5m', seconds: 300 })
 */
export function forecast(
  { requests, changedShare, arrivals }: { requests: number; changedShare: number; arrivals: Arrivals },
  life: Life,
): Forecast {
  const later = requests - 1
  const changed = Math.round(later * changedShare)
  const same = later - changed
  const expired = Math.round(same * expiredShare(arrivals, life.seconds))
  return { writes: 1 + changed + expired, reads: same - expired, expired }
}

/**
 * Pings that bridge every gap between two requests, sent whenever nothing came for `everySeconds`.
 * @example pingsFor({ requests: 10, arrivals: { kind: 'even', gapSeconds: 600 } }, 300, 240) // 18
 */
export function pingsFor(
  { requests, arrivals }: { requests: number; arrivals: Arrivals },
  lifeSeconds: number,
  everySeconds: number,
): number {
  const gaps = requests - 1
  switch (arrivals.kind) {
    case 'within-life':
      return 0
    case 'even':
      return gaps * Math.max(0, Math.ceil((arrivals.gapSeconds - lifeSeconds) / everySeconds))
    case 'random':
      // The sum over k of the chance that a gap lasts longer than k pings.
      return Math.round(gaps / Math.expm1((arrivals.perHour * everySeconds) / hourSeconds))
    default:
      return arrivals satisfies never
  }
}

/** Hours from the first request to the last; an hour where nothing is known about when they come. */
export function spanHours({ requests, arrivals }: { requests: number; arrivals: Arrivals }): number {
  const gaps = requests - 1
  switch (arrivals.kind) {
    case 'within-life':
      return 1
    case 'even':
      return (gaps * arrivals.gapSeconds) / hourSeconds
    case 'random':
      return gaps / arrivals.perHour
    default:
      return arrivals satisfies never
  }
}

const hourSeconds = 3600

function expiredShare(arrivals: Arrivals, seconds: number | undefined): number {
  if (seconds === undefined || arrivals.kind === 'within-life') return 0
  if (arrivals.kind === 'even') return arrivals.gapSeconds > seconds ? 1 : 0
  return Math.exp((-arrivals.perHour * seconds) / hourSeconds)
}
