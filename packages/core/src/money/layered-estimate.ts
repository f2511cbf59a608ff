/** What a cache of answers and prefix caching come to together, as shares of what no cache would cost. */
export interface LayeredInput {
  /** Requests answered from a shared cache of answers, 0 to 1: they cost no tokens. */
  readonly sharedHitRate: number
  /** What prefix caching takes off the cost of the others, 0 to 1. */
  readonly missSaving: number
  /** What the shared cache itself costs, and its wrong answers, as a share of the baseline. */
  readonly overhead: number
}

export interface LayeredEstimate extends LayeredInput {
  /** Part of the baseline that is still paid to the provider. */
  readonly providerShare: number
  /** That and the overhead. */
  readonly effectiveShare: number
}

/**
 * `(1 - hit rate) x (1 - miss saving) + overhead`, rounded to a millionth.
 * @example layeredEstimate({ sharedHitRate: 0.8, missSaving: 0.35, overhead: 0 }).effectiveShare // 0.13
 */
export function layeredEstimate(input: LayeredInput): LayeredEstimate {
  const providerShare = rounded((1 - input.sharedHitRate) * (1 - input.missSaving))
  return { ...input, providerShare, effectiveShare: rounded(providerShare + input.overhead) }
}

/**
 * What prefix caching takes off a request's cost: of the part that is input, the cached part, by its discount.
 * @example missSavingOf({ inputShare: 1, prefixRatio: 0.7, readMultiplier: 0.5 }) // 0.35
 */
export function missSavingOf(input: {
  /** Part of the cost that is input, 0 to 1. */
  readonly inputShare: number
  /** Cached input tokens / input tokens, 0 to 1. */
  readonly prefixRatio: number
  /** Price of a read token in units of a plain one. */
  readonly readMultiplier: number
}): number {
  return rounded(input.inputShare * input.prefixRatio * (1 - input.readMultiplier))
}

/** What the guide that the workflow settings are from claims, as it stands there. */
export const claimedEstimate = {
  sharedHitRate: 0.8,
  missSaving: { low: 0.35, high: 0.42 },
  effectiveShare: { low: 0.13, high: 0.16 },
} as const

/**
 * The overhead that has to be added for those claims to be true: their own hit rate and savings come to 11.6 to 13 % of
 * the baseline, not to 13 to 16 %. It is not named there: look-ups, embeddings, storage, answers asked again.
 *
 * @example impliedOverhead() // { low: 0.014, high: 0.03 }
 */
export function impliedOverhead(): { readonly low: number; readonly high: number } {
  const { sharedHitRate, missSaving, effectiveShare } = claimedEstimate
  const share = (saving: number): number =>
    layeredEstimate({ sharedHitRate, missSaving: saving, overhead: 0 }).effectiveShare
  return {
    low: rounded(effectiveShare.low - share(missSaving.high)),
    high: rounded(effectiveShare.high - share(missSaving.low)),
  }
}

function rounded(share: number): number {
  return Math.round(share * 1e6) / 1e6
}
