import type { Reuse } from '../ledger/port.ts'

/** What `cached_input_tokens / input_tokens` is to reach, by where a cached prefix could have come from. */
export interface ReuseTarget {
  /** The least and the most, both included. */
  readonly band: readonly [low: number, high: number]
  readonly source: string
  /** Day the source was read, as YYYY-MM-DD. */
  readonly asOf: string
}

const published = {
  source: 'Keeptrusts, "Provider-Prefix Cache Tuning", section "Target ratios"',
  asOf: '2026-11-20',
}

/**
 * Nothing at the first request of a session; all but the latest turn at those that follow; the opening that they share
 * where other sessions went before.
 */
export const reuseTargets: Readonly<Record<Reuse, ReuseTarget>> = {
  first: { ...published, band: [0, 0] },
  same_session: { ...published, band: [0.6, 0.9] },
  across_sessions: { ...published, band: [0.4, 0.7] },
}
