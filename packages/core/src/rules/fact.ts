/** How sure a fact is: read in a primary source, only in a secondary one, or unverified. */
export type Certainty = 'V' | 'S' | 'U'

/** Where a fact was read, and when. */
export interface Provenance {
  /** URL of the page. */
  readonly source: string
  /** Day the source showed or was read, as YYYY-MM-DD. */
  readonly asOf: string
  readonly certainty: Certainty
}

/** One sourced value. */
export interface Fact<T> extends Provenance {
  readonly value: T
}
