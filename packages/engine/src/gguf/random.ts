/**
 * Random 32-bit words, the same on every machine: integer arithmetic only.
 *
 * @example const next = randomWords(7); next() // an unsigned 32-bit integer
 */
export function randomWords(seed: number): () => number {
  // xorshift never leaves 0.
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

/** A number in [-1, 1). */
export function signedUnit(next: () => number): number {
  return next() / 2_147_483_648 - 1
}
