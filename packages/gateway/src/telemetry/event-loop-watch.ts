import type { IntervalHistogram } from 'node:perf_hooks'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Delay of the event loop over a window, beyond the timer's own resolution; milliseconds. */
export interface EventLoopDelay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const resolutionMs = 2

/**
 * Watches how long the event loop is late. The native histogram counts the sampling interval too;
 * that is taken off, so that an idle loop reads near 0.
 */
export class EventLoopWatch {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs })

  constructor() {
    this.#histogram.enable()
  }

  /** Side effect: starts a new window. */
  read(): EventLoopDelay {
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs)
    const delay = {
      p50Ms: late(this.#histogram.percentile(50)),
      p99Ms: late(this.#histogram.percentile(99)),
      maxMs: this.#histogram.count > 0 ? late(this.#histogram.max) : 0,
    }
    this.#histogram.reset()
    return delay
  }

  close(): void {
    this.#histogram.disable()
  }
}
