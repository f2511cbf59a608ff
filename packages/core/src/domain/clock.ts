import type { EpochMs, Milliseconds } from './units.ts'

/** The one source of time. Injected everywhere, so that lives and TTLs can be tested without waiting. */
export interface Clock {
  /** The wall-clock instant; follows the test clock. */
  now(): EpochMs
  /** A monotonic reading for durations; never follows the test clock. */
  monotonic(): Milliseconds
}
