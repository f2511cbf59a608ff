/** Median, spread and tail of a list of measurements. */
export interface Spread {
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly max: number
  readonly count: number
}

/**
 * @throws RangeError on an empty list
 * @example spread([3, 1, 2]).p50 // 2
 */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values')
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { min: at(0), p50: median(sorted), p90: at(0.9), max: at(1), count: sorted.length }
}

/** The middle value of a sorted list, or the mean of the two in the middle. */
function median(sorted: readonly number[]): number {
  const half = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
