import type { EpochMs, SessionId, WireHash } from '@incipit/core'
import type { Reuse } from '../ledger/port.ts'

/** Sessions and openings of one volume, of all scopes together. */
const mostEntries = 50_000

/** A request, as far as it may find what another one left in a cache. */
export interface Visit {
  /** `IsolationScope.key`: nobody finds what another scope left. */
  readonly scopeKey: string
  readonly upstream: string
  readonly model: string
  readonly session: SessionId
  /** Everything before the first message of the user, as a hash. */
  readonly opening: WireHash | undefined
  readonly began: EpochMs
  /** It may leave something behind: it was answered. */
  readonly leaves: boolean
}

/**
 * Who was served before: sessions, and openings that several sessions share, for each scope, model and upstream. Only
 * requests that had been answered when another one began can have left it a cache. In memory and bounded: those not
 * seen for a whole volume are forgotten, and a restart forgets all; whoever is forgotten counts as first.
 *
 * @example book.visit({ scopeKey, upstream, model, session, opening, began, leaves: true }, now) // 'first'
 */
export class ReuseBook {
  /**
   * When the first request was answered: the volume that is being written, and the one before. To move an entry to
   * the end of one map instead would leave a hole with each request, which every later one has to pass.
   */
  #written = new Map<string, EpochMs>()
  #full = new Map<string, EpochMs>()
  /** Short names of scopes: their keys are long, and every look-up would read them. */
  readonly #scopes = new Map<string, number>()
  #scopesSeen = 0
  readonly #most: number

  constructor(most: number = mostEntries) {
    this.#most = most
  }

  /** What a request found. Side effect: it is remembered itself, where it leaves something. */
  visit(visit: Visit, now: EpochMs): Reuse {
    const place = `${this.#scopeNumber(visit.scopeKey)}\n${visit.upstream}\n${visit.model}\n`
    const session = `${place}${visit.session}`
    const opening = visit.opening === undefined ? undefined : `${place}${visit.opening}`
    const reuse = this.#found(session, opening, visit.began)
    if (visit.leaves) {
      this.#remember(session, now)
      if (opening !== undefined) this.#remember(opening, now)
    }
    return reuse
  }

  #scopeNumber(scopeKey: string): number {
    const known = this.#scopes.get(scopeKey)
    if (known !== undefined) return known
    if (this.#scopes.size >= this.#most) this.#scopes.clear()
    this.#scopesSeen += 1
    this.#scopes.set(scopeKey, this.#scopesSeen)
    return this.#scopesSeen
  }

  #found(session: string, opening: string | undefined, began: EpochMs): Reuse {
    if (this.#wasBefore(session, began)) return 'same_session'
    return opening !== undefined && this.#wasBefore(opening, began) ? 'across_sessions' : 'first'
  }

  #wasBefore(key: string, began: EpochMs): boolean {
    const since = this.#written.get(key) ?? this.#full.get(key)
    return since !== undefined && since <= began
  }

  #remember(key: string, now: EpochMs): void {
    if (this.#written.has(key)) return
    if (this.#written.size >= this.#most) {
      this.#full = this.#written
      this.#written = new Map()
    }
    this.#written.set(key, this.#full.get(key) ?? now)
  }
}
