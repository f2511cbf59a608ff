import { CandidateCut } from './candidate-cut.ts'

/** Buffers as large as the vocabulary: one set per model, used by one sampler at a time. */
export class SamplerWorkspace {
  readonly vocabularySize: number
  /** Logits with bias and penalties. */
  readonly adjusted: Float32Array
  /** Tokens that the filters leave, and their weights at the same places; scratch of `cut` before. */
  readonly candidates: Int32Array
  readonly weights: Float64Array
  readonly cut: CandidateCut

  constructor(vocabularySize: number) {
    this.vocabularySize = vocabularySize
    this.adjusted = new Float32Array(vocabularySize)
    this.candidates = new Int32Array(vocabularySize)
    this.weights = new Float64Array(vocabularySize)
    this.cut = new CandidateCut(this.candidates, this.weights)
  }
}
