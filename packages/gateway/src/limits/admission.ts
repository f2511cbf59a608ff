import type { TokenCount } from '@incipit/core'
import { tokenCount } from '@incipit/core'
import type { Limiter } from './limiter.ts'
import type { RateRule, WindowState } from './rate-windows.ts'
import type { Subject } from './subjects.ts'
import type { CountedUsage } from './token-estimate.ts'
import { countedTokens, estimatedTokens } from './token-estimate.ts'

/** Points taken from one window. */
interface Charge {
  readonly subject: Subject
  readonly what: 'requests' | 'tokens'
  readonly rule: RateRule
  readonly points: number
  readonly state: WindowState
}

/** What a window says after a request was let in, for headers. */
export interface Standing {
  readonly what: Charge['what']
  readonly limit: number
  readonly used: number
  readonly endsAt: number
}

/**
 * What one request has taken of the limits it is under. Tokens are settled once its usage is known; whatever it
 * still holds is given back when it leaves.
 */
export class Admission {
  readonly subjects: readonly Subject[]
  /** Bytes that the tokens were estimated from. */
  readonly #bytes: number
  readonly #limiter: Limiter
  readonly #slots: string[] = []
  #charges: Charge[] = []
  #settled = false
  #left = false

  constructor(limiter: Limiter, subjects: readonly Subject[], bytes: number) {
    this.#limiter = limiter
    this.subjects = subjects
    this.#bytes = bytes
  }

  /** How long the prompt is taken to be. */
  get promptTokens(): TokenCount {
    return tokenCount(estimatedTokens(this.#bytes))
  }

  get standings(): Standing[] {
    return this.#charges.map(({ what, rule, state }) => ({ what, limit: rule.limit, ...state }))
  }

  get settled(): boolean {
    return this.#settled
  }

  /** @returns whether a slot was free */
  enter(name: string, limit: number): boolean {
    if (!this.#limiter.slots.enter(name, limit)) return false
    this.#slots.push(name)
    return true
  }

  charged(charge: Charge): void {
    this.#charges.push(charge)
  }

  /** Replaces the estimate by what was used. Not known: the estimate stands, unless the request failed. */
  async settle(usage: CountedUsage, failed: boolean): Promise<void> {
    if (this.#settled) return
    this.#settled = true
    const uncached = countedTokens(usage, 'uncached')
    for (const { id } of this.subjects)
      if (uncached !== undefined) this.#limiter.ratios.learn(id, this.#bytes, uncached)
    await this.#correct(({ subject, points }) => {
      const counted = countedTokens(usage, subject.limits.tpmCounts)
      return counted ?? (failed ? 0 : points)
    })
  }

  /** The request was not let in: it counts for nothing. */
  async withdraw(): Promise<void> {
    this.#settled = true
    const charges = this.#charges
    this.#charges = charges.map((charge) => {
      const { points, state } = charge
      return { ...charge, points: 0, state: { ...state, used: state.used - points } }
    })
    for (const { rule, points, state } of charges) await this.#limiter.windows.correct(rule, -points, state)
    await this.leave()
  }

  /** The request is over. What was not settled has come to nothing. */
  async leave(): Promise<void> {
    if (this.#left) return
    this.#left = true
    for (const name of this.#slots) this.#limiter.slots.leave(name)
    if (this.#settled) return
    this.#settled = true
    await this.#correct(() => 0)
  }

  async #correct(actual: (charge: Charge) => number): Promise<void> {
    for (const charge of this.#charges) {
      if (charge.what !== 'tokens') continue
      await this.#limiter.windows.correct(charge.rule, actual(charge) - charge.points, charge.state)
    }
  }
}
