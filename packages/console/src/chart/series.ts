/** One quantity over time. `colour` is the name of a CSS variable. */
export interface Series {
  readonly title: string
  readonly colour: string
  readonly values: readonly (number | undefined)[]
  readonly format: (value: number | undefined) => string
}

/** Quantities over intervals of time: bars on top of each other, and lines. */
export interface TimeChartData {
  /** In words, for those who do not see it. */
  readonly label: string
  /** Starts of the intervals, in ms. */
  readonly starts: readonly number[]
  readonly lengthMs: number
  /** What the axis reaches from and to; as far as the intervals go while `undefined`. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly timeZone: string
  readonly nameOf: (start: number) => string
  readonly bars: readonly Series[]
  /** On the axis of the bars, or on one of their own from 0 to 100 %. */
  readonly lines: readonly Series[]
  readonly linesAreShares: boolean
  /** Names the ticks of the axis of the bars. */
  readonly axis: (value: number) => string
  /** Says the sums in the legend while no interval is pointed at. */
  readonly totals: readonly string[]
}

/** How high the bars of one interval reach, up to and with that of `index`. */
export function sumTo(bars: readonly Series[], index: number, at: number): number {
  return bars.slice(0, index + 1).reduce((sum, { values }) => sum + (values[at] ?? 0), 0)
}
