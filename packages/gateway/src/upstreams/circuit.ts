import type { Milliseconds } from '@incipit/core'

/** When a circuit opens, and for how long. */
export interface CircuitLimits {
  /** Failures in a row that open it. */
  readonly failures: number
  /** How long it stays open the first time; doubles with each further failure up to `longestMs`. */
  readonly firstMs: number
  readonly longestMs: number
}

const usualLimits: CircuitLimits = { failures: 5, firstMs: 2_000, longestMs: 60_000 }

/**
 * Keeps requests from a replica that does not answer. Closed: everything passes. Open: nothing does, until
 * its time is over; then one request tries. A success closes it at once, so that a session returns to the
 * replica that holds its prefix.
 *
 * @example if (circuit.allows(now)) ...; circuit.failed(now)
 */
export class Circuit {
  readonly #limits: CircuitLimits
  #failures = 0
  #openUntil = 0
  /** Monotonic time until which the one request that tries has the replica for itself. */
  #tryingUntil = 0

  constructor(limits: CircuitLimits = usualLimits) {
    this.#limits = limits
  }

  /** Side effect: when its time is over, the caller's request becomes the one that tries. */
  allows(now: Milliseconds): boolean {
    if (this.#openUntil === 0) return true
    if (now < this.#openUntil || now < this.#tryingUntil) return false
    this.#tryingUntil = now + this.#limits.firstMs
    return true
  }

  /** Whether it would refuse, without becoming the one that tries. */
  isOpen(now: Milliseconds): boolean {
    return this.#openUntil !== 0 && now < this.#openUntil
  }

  /** Milliseconds until something may pass; 0 where it does. */
  waitMs(now: Milliseconds): number {
    return Math.max(0, this.#openUntil - now)
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = 0
    this.#tryingUntil = 0
  }

  /** While it is open nothing new is learnt: requests that were under way when it opened fail by the dozen. */
  failed(now: Milliseconds): void {
    if (now < this.#openUntil) return
    this.#failures += 1
    this.#tryingUntil = 0
    const { failures, firstMs, longestMs } = this.#limits
    const beyond = this.#failures - failures
    if (beyond >= 0) this.#openUntil = now + Math.min(longestMs, firstMs * 2 ** Math.min(beyond, 20))
  }

  /** The replica asked for a pause (429 with `retry-after`): nobody else needs to find that out. */
  pause(now: Milliseconds, ms: number): void {
    this.#openUntil = Math.max(this.#openUntil, now + Math.min(ms, this.#limits.longestMs))
  }
}
