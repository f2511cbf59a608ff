import type { Sampling } from '@incipit/core'
import { isWithin, noCut } from './candidate-cut.ts'
import type { Cut } from './candidate-cut.ts'
import type { Grammar } from '../native/contract.ts'
import { largestLogit } from './largest-logit.ts'
import { LogitAdjustment } from './logit-adjustment.ts'
import { createRandom } from './random.ts'
import type { SamplerWorkspace } from './sampler-workspace.ts'

export interface SamplerOptions {
  readonly sampling: Sampling
  /** Read by the repetition penalty only. */
  readonly prompt: Int32Array
  readonly workspace: SamplerWorkspace
  /** Uniform in [0, 1), in place of the seed. */
  readonly random?: () => number
}

/**
 * Chooses the tokens of one generation: bias and penalties, `topK`, `topP`, `minP` (relative to the
 * best), then temperature and a draw, in the order of llama.cpp. The same seed and logits give the same
 * tokens.
 *
 * @example
 * const sampler = new Sampler({ sampling, prompt, workspace: new SamplerWorkspace(vocabularySize) })
 * const token = sampler.sample(context.logits(row))
 */
export class Sampler {
  readonly #sampling: Sampling
  readonly #workspace: SamplerWorkspace
  readonly #adjustment: LogitAdjustment
  readonly #random: () => number

  /** @throws IncipitError `invalid_request` when a bias names a token outside the vocabulary */
  constructor({ sampling, prompt, workspace, random }: SamplerOptions) {
    this.#sampling = sampling
    this.#workspace = workspace
    this.#adjustment = new LogitAdjustment(sampling, prompt, workspace.adjusted)
    this.#random = random ?? createRandom(sampling.seed)
  }

  /**
   * The next token for these logits, which stay as they are; -Infinity masks a token, and so does the grammar. The
   * token counts as generated for the penalties of those that follow.
   * @throws Error on NaN or Infinity, when every token is masked, or on a wrong length: what computed
   * such logits is broken, and no token may come of it
   */
  sample(logits: Float32Array, grammar?: Grammar): number {
    const { vocabularySize } = this.#workspace
    if (logits.length !== vocabularySize) throw new Error(`${logits.length} logits, ${vocabularySize} expected`)
    const adjusted = this.#adjustment.apply(logits)
    const wish = this.#choose(adjusted)
    // Most wishes are allowed, and to ask for one token is cheap; only else is the whole vocabulary masked.
    const token = grammar === undefined || grammar.allows(wish) ? wish : this.#choose(grammar.mask(adjusted))
    this.#adjustment.accept(token)
    return token
  }

  #choose(logits: Float32Array): number {
    const best = largestLogit(logits)
    if (this.#sampling.temperature === 0) return best
    return this.#draw(this.#weigh(logits, logits[best] as number))
  }

  /** Fills candidates and weights with what the filters leave. */
  #weigh(logits: Float32Array, largest: number): { readonly count: number; readonly total: number } {
    const { temperature, minP } = this.#sampling
    const { candidates, weights } = this.#workspace
    const cut = this.#filter(logits, largest)
    const floor = largest + Math.log(minP)
    let count = 0
    let total = 0
    for (let token = 0; token < logits.length; token++) {
      const logit = logits[token] as number
      if (logit < floor || !isWithin(cut, logit, token)) continue
      const weight = Math.exp((logit - largest) / temperature)
      candidates[count] = token
      weights[count++] = weight
      total += weight
    }
    return { count, total }
  }

  #filter(logits: Float32Array, largest: number): Cut {
    const { topK, topP } = this.#sampling
    const { cut } = this.#workspace
    const within = topK > 0 && topK < logits.length ? cut.topK(logits, topK) : noCut
    return topP < 1 ? cut.topP(logits, largest, { within, share: topP }) : within
  }

  #draw({ count, total }: { readonly count: number; readonly total: number }): number {
    const { candidates, weights } = this.#workspace
    // Summed in the order of `total`: the last candidate with any weight ends above the target.
    const target = this.#random() * total
    let index = 0
    let sum = weights[0] as number
    while (sum <= target && index < count - 1) sum += weights[++index] as number
    return candidates[index] as number
  }
}
