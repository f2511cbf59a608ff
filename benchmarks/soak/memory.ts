import { spread } from '../support/statistics.ts'

/** Resident bytes of both processes after so many requests. */
export interface MemorySample {
  readonly requests: number
  readonly engine: number
  readonly gateway: number
}

/** One process over the whole run. */
export interface MemoryFigure {
  readonly most: number
  /** Medians of the second and of the last quarter of the requests, and the last over the second. */
  readonly secondQuarter: number
  readonly lastQuarter: number
  readonly growth: number
}

/**
 * Sums up samples in the order they were taken. The first quarter is left out: caches and heaps fill.
 * @throws RangeError where a quarter has no sample
 */
export function memoryFigure(
  samples: readonly MemorySample[],
  process: 'engine' | 'gateway',
  requests: number,
): MemoryFigure {
  const bytes = (from: number, to: number): number[] =>
    samples
      .filter((sample) => sample.requests > from * requests && sample.requests <= to * requests)
      .map((sample) => sample[process])
  const secondQuarter = spread(bytes(0.25, 0.5)).p50
  const lastQuarter = spread(bytes(0.75, 1)).p50
  const most = Math.max(...samples.map((sample) => sample[process]))
  return { most, secondQuarter, lastQuarter, growth: lastQuarter / secondQuarter }
}
