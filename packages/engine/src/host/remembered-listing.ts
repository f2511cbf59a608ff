import type { CachedPrefixes } from '../engine.ts'

/** Below this many blocks a listing takes a few milliseconds, and is always a new one. */
const alwaysFresh = 10_000
/** Milliseconds that a listing is told again for each of its blocks: some fifty times what it takes. */
const pausePerBlock = 0.1
/** Listings that are remembered: those of some consoles that look at the same time. */
const mostListings = 8

interface Listing {
  readonly at: number
  readonly answer: CachedPrefixes
}

/**
 * Listings of what is cached. While one of a large cache is made no batch runs, so that those who look again and again
 * are told what was found last.
 */
export class RememberedListing {
  readonly #monotonic: () => number
  readonly #listings = new Map<string, Listing>()

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /** The answer to a question about `blocks` blocks: a new one, or that of a while ago. */
  of(question: unknown, blocks: number, list: () => CachedPrefixes): CachedPrefixes {
    if (blocks < alwaysFresh) return list()
    const name = JSON.stringify(question)
    const now = this.#monotonic()
    const last = this.#listings.get(name)
    if (last !== undefined && now - last.at < blocks * pausePerBlock) return last.answer
    const answer = list()
    this.#listings.delete(name)
    this.#listings.set(name, { at: now, answer })
    const [oldest] = this.#listings.keys()
    if (this.#listings.size > mostListings && oldest !== undefined) this.#listings.delete(oldest)
    return answer
  }

  /** What was found is not there any more. */
  forget(): void {
    this.#listings.clear()
  }
}
