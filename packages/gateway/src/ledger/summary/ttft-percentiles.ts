import type { TtftTotals } from '../port.ts'
import { readHistogramKey, unknownSize } from './cell.ts'
import { promptSizes } from './prompt-size.ts'
import { ttftOfBin } from './ttft-bins.ts'

const temperatures = ['cold', 'warm'] as const
const sizes = ['all' as const, ...promptSizes.map(({ band }) => band)]
const numbersPerSeries = 4

/** How many numbers `ttftNumbers` gives. */
export const ttftCount: number = temperatures.length * sizes.length * numbersPerSeries

/** Count and percentiles of each temperature and size, in the order of `toTtft`; a count of 0 where nothing was met. */
export function ttftNumbers(histogram: ReadonlyMap<number, number>): Float64Array {
  const series = Array.from({ length: temperatures.length * sizes.length }, (): [bin: number, count: number][] => [])
  for (const [key, count] of histogram) {
    const { temperature, size, bin } = readHistogramKey(key)
    const first = temperature * sizes.length
    series[first]?.push([bin, count])
    if (size !== unknownSize) series[first + 1 + size]?.push([bin, count])
  }
  const numbers = new Float64Array(ttftCount)
  for (const [index, bins] of series.entries()) numbers.set(percentilesOf(bins), index * numbersPerSeries)
  return numbers
}

export function toTtft(numbers: Float64Array): TtftTotals[] {
  const totals: TtftTotals[] = []
  let at = 0
  for (const temperature of temperatures) {
    for (const size of sizes) {
      const [count = 0, p50 = 0, p90 = 0, p99 = 0] = numbers.subarray(at, at + numbersPerSeries)
      if (count > 0) totals.push({ temperature, size, count, p50, p90, p99 })
      at += numbersPerSeries
    }
  }
  return totals
}

/** By nearest rank: the middle of the bin in which so many of all counts are reached. */
function percentilesOf(bins: [bin: number, count: number][]): number[] {
  if (bins.length === 0) return [0, 0, 0, 0]
  bins.sort(([a], [b]) => a - b)
  const count = bins.reduce((sum, [, one]) => sum + one, 0)
  const at = (share: number): number => {
    const rank = Math.ceil(share * count)
    let reached = 0
    const found = bins.find(([, one]) => (reached += one) >= rank)
    return ttftOfBin(found?.[0] ?? 0)
  }
  return [count, at(0.5), at(0.9), at(0.99)]
}
