import type { TokenCount } from './units.ts'

/**
 * Token counts of one answer in disjoint buckets. The input total is
 * `fresh + read + write5m + write30m + write1h + write12h`; `undefined` means the upstream
 * did not report that count, which is not zero.
 */
export interface Usage {
  /** Input tokens computed and billed at the plain rate. */
  readonly fresh: TokenCount | undefined
  /** Input tokens served from a prefix cache. */
  readonly read: TokenCount | undefined
  readonly write5m: TokenCount | undefined
  readonly write30m: TokenCount | undefined
  readonly write1h: TokenCount | undefined
  readonly write12h: TokenCount | undefined
  readonly output: TokenCount | undefined
}

/** The names of the buckets that add up to the input. */
export const inputBuckets = ['fresh', 'read', 'write5m', 'write30m', 'write1h', 'write12h'] as const

export const unreportedUsage: Usage = {
  fresh: undefined,
  read: undefined,
  write5m: undefined,
  write30m: undefined,
  write1h: undefined,
  write12h: undefined,
  output: undefined,
}

/**
 * The whole input of an answer, or `undefined` when the plain count was not reported.
 * @example inputTokens(usage)
 */
export function inputTokens(usage: Usage): TokenCount | undefined {
  if (usage.fresh === undefined) return undefined
  let total = 0
  for (const bucket of inputBuckets) total += usage[bucket] ?? 0
  return total as TokenCount
}
