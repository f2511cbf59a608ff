import type { Sharing } from './request.ts'

/** How far one may fall behind, in tokens, and still catch up: what it could not use before that is forgotten. */
const longestDebt = 4_096

/** Who takes turns at one level, and how many tokens it has had. */
interface Sharer {
  /** Those it is made of: an organisation's sessions. */
  readonly inner: Level
  used: number
  /** Requests of it that run or wait. */
  present: number
  /** Decides between those that had the same: who came first. */
  since: number
}

/** A request's place among those that take turns. */
export interface Turn {
  readonly sharing: Sharing
  readonly org: Sharer
  readonly session: Sharer
  /** What came first has the lower number. */
  readonly arrival: number
}

/** Anything that has a turn. */
interface TurnTaker {
  readonly turn: Turn
}

/**
 * Shares evaluated tokens, those of prompts and answers alike, fairly: first between organisations, then between
 * the sessions of each, then in order of arrival. Whoever had least is next.
 *
 * Between two that always have something to evaluate, what they had differs by at most the two largest amounts charged at
 * once, over any stretch of time. One that comes, or comes back, begins at the fair clock, which shows what everyone
 * who was there all the time would have had: nobody saves turns up, and an endless row of newcomers does not hold
 * those that are there up for ever.
 *
 * @example const turn = share.enter({ org: 'acme', session: 'ses_1' }); share.charge(turn, 512); share.leave(turn)
 */
export class FairShare {
  readonly #orgs = new Level()
  #arrivals = 0

  /** Organisations whose part is known. */
  get remembered(): number {
    return this.#orgs.size
  }

  /** A request begins to wait. Every call needs its `leave`. */
  enter(sharing: Sharing): Turn {
    const org = this.#orgs.enter(sharing.org)
    return { sharing, org, session: org.inner.enter(sharing.session), arrival: this.#arrivals++ }
  }

  leave({ org, session }: Turn): void {
    org.inner.leave(session)
    this.#orgs.leave(org)
  }

  /** `tokens` tokens of a request are evaluated. */
  charge({ org, session }: Turn, tokens: number): void {
    this.#orgs.charge(org, tokens)
    org.inner.charge(session, tokens)
  }

  /** Whose turn it is; `undefined` where there is nobody. */
  first<Taker extends TurnTaker>(takers: Iterable<Taker>): Taker | undefined {
    let first: Taker | undefined
    for (const taker of takers) if (first === undefined || isBefore(taker.turn, first.turn)) first = taker
    return first
  }
}

/** Sharers of one kind, and the fair clock they go by. */
class Level {
  readonly #sharers = new Map<string, Sharer>()
  #clock = 0
  #present = 0
  #entered = 0

  get size(): number {
    return this.#sharers.size
  }

  enter(name: string): Sharer {
    const sharer = this.#sharers.get(name) ?? newSharer()
    this.#sharers.set(name, sharer)
    if (sharer.present === 0) {
      this.#present++
      sharer.since = this.#entered++
      sharer.used = Math.max(sharer.used, this.#clock)
    }
    sharer.present++
    return sharer
  }

  leave(sharer: Sharer): void {
    sharer.present--
    if (sharer.present > 0) return
    this.#present--
    if (this.#sharers.size > 2 * this.#present + 64) this.#forget()
    if (this.#present > 0) return
    // Without anybody to share with, what was had before says nothing.
    this.#sharers.clear()
    this.#clock = 0
  }

  charge(sharer: Sharer, tokens: number): void {
    sharer.used = Math.max(sharer.used, this.#clock - longestDebt) + tokens
    this.#clock += tokens / this.#present
  }

  /** Drops those that are gone and would begin at the clock anyway. */
  #forget(): void {
    for (const [name, { present, used }] of this.#sharers) {
      if (present === 0 && used <= this.#clock) this.#sharers.delete(name)
    }
  }
}

function newSharer(): Sharer {
  return { inner: new Level(), used: 0, present: 0, since: 0 }
}

/** Sharers of one level are compared as a whole before what is below them. */
function isBefore(left: Turn, right: Turn): boolean {
  if (left.org !== right.org) return comesFirst(left.org, right.org)
  if (left.session !== right.session) return comesFirst(left.session, right.session)
  return left.arrival < right.arrival
}

function comesFirst(left: Sharer, right: Sharer): boolean {
  return left.used === right.used ? left.since < right.since : left.used < right.used
}
