import type { Clock } from '@incipit/core'

/** The time of an emulator: that of its base, pushed forward by tests. */
export class EmulatorClock {
  readonly #base: () => number
  #offset = 0

  constructor(base?: Pick<Clock, 'now'>) {
    this.#base = base === undefined ? Date.now : () => base.now()
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#base() + this.#offset
  }

  /** @throws RangeError when `ms` is negative or not finite: time does not run backwards */
  advance(ms: number): number {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`advance_ms must be 0 or more, got ${ms}`)
    this.#offset += ms
    return this.now()
  }

  reset(): void {
    this.#offset = 0
  }
}
