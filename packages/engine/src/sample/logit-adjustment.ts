import { IncipitError } from '@incipit/core'
import type { Sampling } from '@incipit/core'

/** Bias and penalties of one generation: bias first, then penalties, as llama.cpp does. */
export class LogitAdjustment {
  readonly #sampling: Sampling
  readonly #bias: readonly (readonly [token: number, bias: number])[]
  /** How often each token was generated; 0 = only seen in the prompt. */
  readonly #seen = new Map<number, number>()
  readonly #penalises: boolean
  readonly #adjusted: Float32Array

  /**
   * @param adjusted as long as the vocabulary; overwritten by each `apply`
   * @throws IncipitError `invalid_request` when a bias names a token outside the vocabulary
   */
  constructor(sampling: Sampling, prompt: Int32Array, adjusted: Float32Array) {
    const { frequencyPenalty, presencePenalty, repetitionPenalty } = sampling
    this.#sampling = sampling
    this.#adjusted = adjusted
    this.#bias = Object.entries(sampling.logitBias).map(([token, bias]) => [Number(token), bias])
    for (const [token] of this.#bias) checkToken(token, adjusted.length)
    this.#penalises = frequencyPenalty !== 0 || presencePenalty !== 0 || repetitionPenalty !== 1
    // Only the repetition penalty looks at the prompt.
    if (repetitionPenalty !== 1) for (const token of prompt) this.#seen.set(token, 0)
  }

  accept(token: number): void {
    if (this.#penalises) this.#seen.set(token, (this.#seen.get(token) ?? 0) + 1)
  }

  /** `logits` itself where nothing changes it, else a copy that the next call overwrites. */
  apply(logits: Float32Array): Float32Array {
    if (this.#bias.length === 0 && this.#seen.size === 0) return logits
    const adjusted = this.#adjusted
    adjusted.set(logits)
    for (const [token, bias] of this.#bias) adjusted[token] = (logits[token] as number) + bias
    for (const [token, count] of this.#seen) adjusted[token] = this.#penalised(adjusted[token] as number, count)
    return adjusted
  }

  #penalised(logit: number, count: number): number {
    // A mask stays a mask, and what is broken must be seen as such.
    if (!Number.isFinite(logit)) return logit
    const { frequencyPenalty, presencePenalty, repetitionPenalty } = this.#sampling
    // Dividing a positive logit and multiplying a negative one both make the token less likely.
    const repeated = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
    // A penalty close to zero must not turn into an Infinity, which would look like a broken model.
    return Math.min(largestFloat32, repeated - count * frequencyPenalty - (count > 0 ? presencePenalty : 0))
  }
}

const largestFloat32 = (2 - 2 ** -23) * 2 ** 127

function checkToken(token: number, vocabularySize: number): void {
  if (Number.isInteger(token) && token >= 0 && token < vocabularySize) return
  throw new IncipitError(
    'invalid_request',
    `/logit_bias names token ${token}, ids from 0 to ${vocabularySize - 1} allowed`,
    { param: '/logit_bias' },
  )
}
