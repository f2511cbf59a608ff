import type { Clock, EpochMs, Milliseconds } from '@incipit/core'
import { epochMs, milliseconds } from '@incipit/core'

/** The end of the year 9999: dates beyond it have another written form. */
const lastInstant = Date.UTC(9999, 11, 31)

/** The machine's clock. */
export const systemClock: Clock = {
  now: (): EpochMs => epochMs(Date.now()),
  monotonic: (): Milliseconds => milliseconds(performance.now()),
}

/**
 * A clock that can be pushed forward, for `--test-clock`: lives and TTLs can be tested without waiting.
 * @example const clock = new TestClock(systemClock); clock.advance(300_000)
 */
export class TestClock implements Clock {
  readonly #base: Clock
  #offset = 0

  constructor(base: Clock) {
    this.#base = base
  }

  now(): EpochMs {
    return epochMs(this.#base.now() + this.#offset)
  }

  monotonic(): Milliseconds {
    return this.#base.monotonic()
  }

  /** @throws RangeError when `ms` is negative, not finite or too far: time does not run backwards */
  advance(ms: number): EpochMs {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`advance_ms must be 0 or more, got ${ms}`)
    if (this.now() + ms > lastInstant) throw new RangeError(`advance_ms ${ms} leads beyond the year 9999`)
    this.#offset += ms
    return this.now()
  }
}
