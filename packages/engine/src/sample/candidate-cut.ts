/** The last candidate in descending order of logits; of equal logits, lower ids come first. */
export interface Cut {
  readonly logit: number
  readonly token: number
}

/** Keeps every token that is not masked by -Infinity. */
export const noCut: Cut = { logit: -Infinity, token: -1 }

/** True when `token` stands at or before the cut. */
export function isWithin(cut: Cut, logit: number, token: number): boolean {
  return logit > cut.logit || (logit === cut.logit && token <= cut.token)
}

/**
 * Finds where top-k and top-p end without sorting: the tokens are weighed into bins of logits, then
 * those of the bin in which the cut falls into narrower ones, until the logits left are all equal.
 * A flat distribution takes a few passes more than a peaked one, never a sort of the vocabulary.
 */
export class CandidateCut {
  readonly #bins = new Float64Array(binCount)
  readonly #tokens: Int32Array
  readonly #weights: Float64Array

  /**
   * @param tokens as long as the vocabulary; overwritten by each call
   * @param weights likewise
   */
  constructor(tokens: Int32Array, weights: Float64Array) {
    this.#tokens = tokens
    this.#weights = weights
  }

  /** The `count` largest logits. */
  topK(logits: Float32Array, count: number): Cut {
    const tokens = this.#tokens
    const weights = this.#weights
    let left = 0
    for (let token = 0; token < logits.length; token++) {
      if (logits[token] === -Infinity) continue
      tokens[left] = token
      weights[left++] = 1
    }
    return count < left ? this.#reach(logits, left, count) : noCut
  }

  /** The fewest largest logits of those `within` whose share of the probability is at least `share`. */
  topP(logits: Float32Array, largest: number, { within, share }: { within: Cut; share: number }): Cut {
    const tokens = this.#tokens
    const weights = this.#weights
    // All that is deeper weighs less than `1 - share` together: the cut cannot fall there.
    const deepest = Math.log(logits.length / (1 - share))
    let left = 0
    let total = 0
    for (let token = 0; token < logits.length; token++) {
      const logit = logits[token] as number
      const depth = largest - logit
      // Deeper ones together are below the rounding of the sum: not worth an exponential.
      if (depth > 50 || !isWithin(within, logit, token)) continue
      const weight = Math.exp(-depth)
      total += weight
      if (depth > deepest) continue
      tokens[left] = token
      weights[left++] = weight
    }
    return this.#reach(logits, left, share * total)
  }

  /** The token that brings the weight up to the target, going down from the largest logit. */
  #reach(logits: Float32Array, count: number, target: number): Cut {
    let left = count
    let reached = 0
    for (;;) {
      const range = this.#range(logits, left)
      if (range.low === range.high) return { logit: range.low, token: this.#tokenAt(left, target - reached) }
      this.#weigh(logits, left, range)
      let bin = 0
      // Rounding may leave the sum short of the target: then it is the last bin, which holds the lowest.
      while (bin < binCount - 1 && reached + (this.#bins[bin] as number) < target) {
        reached += this.#bins[bin++] as number
      }
      left = this.#keep(logits, left, { range, bin })
    }
  }

  #range(logits: Float32Array, count: number): Range {
    const tokens = this.#tokens
    let high = -Infinity
    let low = Infinity
    for (let index = 0; index < count; index++) {
      const logit = logits[tokens[index] as number] as number
      if (logit > high) high = logit
      if (logit < low) low = logit
    }
    return { high, low }
  }

  #weigh(logits: Float32Array, count: number, range: Range): void {
    const bins = this.#bins.fill(0)
    const tokens = this.#tokens
    const weights = this.#weights
    for (let index = 0; index < count; index++) {
      const bin = binOf(logits[tokens[index] as number] as number, range)
      bins[bin] = (bins[bin] as number) + (weights[index] as number)
    }
  }

  /** Moves the tokens of one bin to the front, in order; returns how many there are. */
  #keep(logits: Float32Array, count: number, { range, bin }: { range: Range; bin: number }): number {
    const tokens = this.#tokens
    const weights = this.#weights
    let left = 0
    for (let index = 0; index < count; index++) {
      const token = tokens[index] as number
      if (binOf(logits[token] as number, range) !== bin) continue
      tokens[left] = token
      weights[left++] = weights[index] as number
    }
    return left
  }

  /** Among tokens of equal logits: the one whose predecessors and itself weigh `target`. */
  #tokenAt(count: number, target: number): number {
    let index = 0
    let reached = this.#weights[0] as number
    while (reached < target && index < count - 1) reached += this.#weights[++index] as number
    return this.#tokens[index] as number
  }
}

interface Range {
  readonly high: number
  readonly low: number
}

const binCount = 1024

/** The highest logit falls into the first bin, the lowest into the last: no bin holds both. */
function binOf(logit: number, { high, low }: Range): number {
  return Math.trunc(((high - logit) / (high - low)) * (binCount - 1))
}
