/** How sure we are: read in a primary source, read elsewhere, or in conflict or never confirmed. */
export type Certainty = 'verified' | 'secondary' | 'unverified'

/** One fact about a provider. Facts age: each carries where it was read and when. */
export interface Rule<Value> {
  readonly value: Value
  readonly source: string
  readonly asOf: string
  readonly certainty: Certainty
  /** What the source leaves open and the emulator decided. */
  readonly note?: string
}
