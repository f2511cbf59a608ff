import { seededRandom } from '../gateway/seeded-random.ts'

const vocabulary =
  'the of and to in is that for it as was with be by on not he this are or his from at which but have an had they you were their one all we can her has there been if more when will would who so no'.split(
    ' ',
  )

/** Everything that a soak leaves to chance, the same for the same seed. */
export class SeededDraw {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seededRandom(seed)
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1))
  }

  /** @throws RangeError on an empty list */
  one<Value>(values: readonly Value[]): Value {
    if (values.length === 0) throw new RangeError('one of no values')
    return values[this.whole(0, values.length - 1)] as Value // an index of the list
  }

  isTrue(share: number): boolean {
    return this.#next() < share
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][] // the keys of a record of names
    let left = this.#next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    throw new RangeError('one of no weights')
  }

  /** Plain words, a token or two each. */
  words(count: number): string {
    return Array.from({ length: count }, () => this.one(vocabulary)).join(' ')
  }
}
