import type { Clock } from '@incipit/core'
import { epochMs } from '@incipit/core'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { RateRule, RateWindows, Taken, WindowState } from './rate-windows.ts'
import { windowMs } from './rate-windows.ts'

interface OpenWindow {
  readonly startsAt: number
  readonly endsAt: number
  /** What the library calls this window: no two windows share a count. */
  readonly counter: string
}

/** Names whose windows are remembered before those that have ended are swept. */
const sweepAt = 10_000

/**
 * Windows in the memory of this gateway, counted by `rate-limiter-flexible`. That knows the machine's clock only,
 * so where a window begins and ends is decided here, by the clock of the gateway; the library's own end, a window
 * later, only frees memory.
 *
 * @example const windows = new MemoryWindows(house.clock)
 */
export class MemoryWindows implements RateWindows {
  readonly #clock: Clock
  readonly #counters = new RateLimiterMemory({ points: 1, duration: (2 * windowMs) / 1_000 })
  readonly #open = new Map<string, OpenWindow>()
  #opened = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async take({ name, limit }: RateRule, points: number): Promise<Taken> {
    const { counter, endsAt } = this.#windowOf(name)
    const state = { endsAt: epochMs(endsAt) }
    // The count itself is changed before the first await: whoever comes next sees it.
    const { consumedPoints } = await this.#counters.penalty(counter, points)
    if (consumedPoints <= limit) return { kind: 'taken', used: consumedPoints, ...state }
    const { consumedPoints: used } = await this.#counters.reward(counter, points)
    return { kind: 'refused', used, ...state }
  }

  async correct({ name }: RateRule, points: number, { endsAt }: WindowState): Promise<void> {
    if (points > 0) {
      await this.#counters.penalty(this.#windowOf(name).counter, points)
      return
    }
    const open = this.#openWindow(name, this.#clock.now())
    if (points < 0 && open?.endsAt === endsAt) await this.#counters.reward(open.counter, -points)
  }

  #openWindow(name: string, now: number): OpenWindow | undefined {
    const known = this.#open.get(name)
    // A clock that was set back ends a window, too: else it would last as long as the step.
    return known !== undefined && known.startsAt <= now && now < known.endsAt ? known : undefined
  }

  #windowOf(name: string): OpenWindow {
    const now = this.#clock.now()
    const known = this.#openWindow(name, now)
    if (known !== undefined) return known
    if (this.#open.size >= sweepAt) this.#sweep(now)
    this.#opened += 1
    const opened = { startsAt: now, endsAt: now + windowMs, counter: `${this.#opened} ${name}` }
    this.#open.set(name, opened)
    return opened
  }

  #sweep(now: number): void {
    for (const [name, { startsAt, endsAt }] of this.#open) if (startsAt > now || now >= endsAt) this.#open.delete(name)
  }
}
