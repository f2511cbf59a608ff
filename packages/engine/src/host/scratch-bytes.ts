import type { ModelFacts } from '../native/contract.ts'

/** What of a context is not KV. */
export interface ScratchShape {
  readonly cells: number
  readonly batchTokens: number
  /** As llama.cpp counts them: it keeps a row of logits for each. */
  readonly sequences: number
  readonly flashAttention: boolean
}

const floatBytes = Float32Array.BYTES_PER_ELEMENT
/** Attention scores, and what is made of them, lie beside each other for a while: measured. */
const copiesOfScores = 1.6
/** Vectors of a batch that lie beside each other, in widths of the model. */
const widthsAtOnce = 12

/**
 * Memory that a context works in, as measured on dense models: rows of logits, attention scores, the mask, and
 * the vectors of one batch.
 *
 * @example scratchBytes(model.facts, { cells: 4_096, batchTokens: 512, sequences: 256, flashAttention: false })
 */
export function scratchBytes(
  { vocabularySize, heads, width }: Pick<ModelFacts, 'vocabularySize' | 'heads' | 'width'>,
  { cells, batchTokens, sequences, flashAttention }: ScratchShape,
): number {
  const logits = Math.max(sequences, 2) * vocabularySize
  const attended = heads === 0 ? 0 : cells * batchTokens
  const scores = flashAttention ? 0 : Math.ceil(copiesOfScores * heads * attended)
  return floatBytes * (logits + scores + attended + batchTokens * width * widthsAtOnce)
}
