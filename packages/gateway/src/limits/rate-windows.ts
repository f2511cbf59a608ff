import type { EpochMs } from '@incipit/core'

/** A rate limit: so many points in each window. */
export interface RateRule {
  /** Whose count: `key_...` or `org:acme`, with what is counted. */
  readonly name: string
  readonly limit: number
}

/** How a window stands. */
export interface WindowState {
  /** Points taken in it, those just taken included. */
  readonly used: number
  /** When the count begins anew. */
  readonly endsAt: EpochMs
}

export type Taken = WindowState & { readonly kind: 'taken' | 'refused' }

/**
 * Counts that begin anew every minute: a window opens with the first points taken after the last one ended. In
 * memory of one gateway, or in a store that several share.
 */
export interface RateWindows {
  /** Takes points if they fit under the limit, else none. Two that ask at the same time never both get the last one. */
  take(rule: RateRule, points: number): Promise<Taken>
  /** Adds points that turned out to be more, or gives back (negative) what was not needed. Nothing given back outlives its window. */
  correct(rule: RateRule, points: number, taken: WindowState): Promise<void>
}

/** Length of every window. */
export const windowMs = 60_000
