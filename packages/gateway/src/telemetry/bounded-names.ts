/**
 * Keeps the values of a label few: the first `most` names stand for themselves, all later ones share `other`.
 * Clients make up names of models, and each name is a series that stays until the process ends.
 *
 * @example new BoundedNames(200).of('gpt-5') // 'gpt-5'
 */
export class BoundedNames {
  readonly #known = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Side effect: a name that is new takes a place, where there is one. */
  of(name: string): string {
    if (this.#known.has(name)) return name
    if (this.#known.size >= this.#most) return 'other'
    this.#known.add(name)
    return name
  }
}
