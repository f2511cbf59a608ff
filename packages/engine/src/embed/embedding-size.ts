import type { ModelFacts } from '../native/contract.ts'
import { sequencesBelow } from '../native/sequence-count.ts'

/** How large the context for embeddings of a model is. */
export interface EmbeddingSize {
  /** Longest input. */
  readonly maxTokens: number
  readonly batchTokens: number
  /** Inputs that can be in one batch. */
  readonly sequences: number
  /** Memory it takes, without what it works in. */
  readonly bytes: number
}

/** The longest input that OpenAI takes. */
const longestInput = 8_192
/** KV state of one input. */
const mostKvBytes = 128 * 1024 * 1024
/** llama.cpp computes logits beside vectors, for each row of a batch. */
const mostLogitBytes = 32 * 1024 * 1024
const batchSizes: readonly number[] = [256, 128, 64, 32]
const mostInputs = 64

/**
 * @param stateBytes of one sequence, where each has a state whatever its length: then one input after the other is embedded
 * @example embeddingSize(model.facts, plan.contextTokens).maxTokens // 8192
 */
export function embeddingSize(
  facts: Pick<ModelFacts, 'kvBytesPerToken' | 'vocabularySize' | 'width' | 'slidingWindow' | 'recurrent' | 'hybrid'>,
  contextTokens: number,
  stateBytes: number = 0,
): EmbeddingSize {
  const { kvBytesPerToken } = facts
  const rowBytes = Float32Array.BYTES_PER_ELEMENT * (facts.vocabularySize + facts.width)
  const batchTokens = batchSizes.find((size) => size * rowBytes <= mostLogitBytes) ?? 16
  const fitting = kvBytesPerToken === 0 ? longestInput : Math.floor(mostKvBytes / kvBytesPerToken)
  const maxTokens = Math.max(1, Math.min(contextTokens, longestInput, fitting))
  const sequences = stateBytes > 0 ? 1 : Math.min(mostInputs, batchTokens)
  const below = sequencesBelow(facts, sequences)
  const rows = Math.max(batchTokens, below) * rowBytes
  return {
    maxTokens,
    batchTokens,
    sequences,
    bytes: (maxTokens + batchTokens) * kvBytesPerToken + below * stateBytes + rows,
  }
}
