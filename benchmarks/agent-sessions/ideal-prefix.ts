/**
 * What a perfect cache would reuse: for each prompt the longest common token prefix with any earlier
 * one, nothing below the minimum, and never the whole prompt, whose last token must be evaluated.
 */
export class IdealPrefix {
  readonly #earlier: Int32Array[] = []
  readonly #minTokens: number

  constructor(minTokens: number) {
    this.#minTokens = minTokens
  }

  /** Side effect: the prompt counts as earlier from now on. */
  next(tokens: Int32Array): number {
    let best = 0
    for (const earlier of this.#earlier) best = Math.max(best, commonPrefix(earlier, tokens))
    this.#earlier.push(tokens)
    best = Math.min(best, tokens.length - 1)
    return best < this.#minTokens ? 0 : best
  }
}

function commonPrefix(a: Int32Array, b: Int32Array): number {
  const end = Math.min(a.length, b.length)
  let at = 0
  while (at < end && a[at] === b[at]) at++
  return at
}
