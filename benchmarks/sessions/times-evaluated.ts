/**
 * How often a shared prefix was evaluated, when `all` tokens were and `ends` of them had to be.
 * @example timesEvaluated({ prefix: 4_096, ends: 960, all: 5_056 }) // 1
 */
export function timesEvaluated(counts: {
  readonly prefix: number
  readonly ends: number
  readonly all: number
}): number {
  const { prefix, ends, all } = counts
  if (prefix <= 0) throw new RangeError(`a shared prefix of ${prefix} tokens, at least 1 needed`)
  return (all - ends) / prefix
}
