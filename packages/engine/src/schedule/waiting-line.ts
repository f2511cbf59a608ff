import type { Generation } from './generation.ts'
import type { Sharing } from './request.ts'

/** Generations that wait for a place, in order of arrival. */
export class WaitingLine implements Iterable<Generation> {
  #line: Generation[] = []

  get length(): number {
    return this.#line.length
  }

  [Symbol.iterator](): Iterator<Generation> {
    return this.#line[Symbol.iterator]()
  }

  push(generation: Generation): void {
    this.#line.push(generation)
  }

  /** Puts one that was begun before those that were not. */
  putBack(generation: Generation): void {
    this.#line.unshift(generation)
  }

  /** @returns whether it waited */
  remove(generation: Generation): boolean {
    const before = this.#line.length
    this.#line = this.#line.filter((other) => other !== generation)
    return this.#line.length < before
  }

  find(id: string): Generation | undefined {
    return this.#line.find(({ request }) => request.id === id)
  }

  /**
   * Whom a full line gives up for a newcomer: the latest of the session that has most waiting, of the organisation
   * that has most. So nobody is refused while it has less than an equal part of the line. One that was begun before
   * is never given up.
   * @returns `undefined` where the newcomer itself would be that one
   */
  longest(newcomer: Sharing): Generation | undefined {
    const waiting = this.#line.filter(({ begun }) => !begun)
    const org = mostFrequent(
      waiting.map(({ turn: { sharing } }) => sharing.org),
      newcomer.org,
    )
    const rivals = waiting.filter(({ turn: { sharing } }) => sharing.org === org)
    const own = org === newcomer.org ? newcomer.session : undefined
    const session = mostFrequent(
      rivals.map(({ turn: { sharing } }) => sharing.session),
      own,
    )
    return session === own ? undefined : rivals.findLast(({ turn: { sharing } }) => sharing.session === session)
  }

  /** How many of those that wait come before a newcomer, when all have turns of one request. */
  before(newcomer: Sharing): number {
    const orgs = new Set(this.#line.map(({ turn: { sharing } }) => sharing.org)).add(newcomer.org)
    const own = this.#line.filter(({ turn: { sharing } }) => sharing.org === newcomer.org).length
    return Math.min(this.#line.length, (own + 1) * orgs.size - 1)
  }
}

/** The most frequent of some names; of several, `extra`, which counts once more, and else the first. */
function mostFrequent(names: readonly string[], extra: string | undefined): string | undefined {
  const counts = new Map<string, number>(extra === undefined ? [] : [[extra, 1]])
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  let most: string | undefined
  for (const [name, count] of counts) if (most === undefined || count > (counts.get(most) ?? 0)) most = name
  return most
}
