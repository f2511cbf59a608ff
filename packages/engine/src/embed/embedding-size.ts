import type { ModelFacts } from '../native/contract.ts'

/** How large the context for embeddings of a model is. */
export interface EmbeddingSize {
  /** Longest input. */
  readonly maxTokens: number
  readonly batchTokens: number
  /** Memory it takes. */
  readonly bytes: number
}

/** The longest input that OpenAI takes. */
const longestInput = 8_192
/** KV state of one input. */
const mostKvBytes = 128 * 1024 * 1024
/** llama.cpp computes logits beside vectors, for each row of a batch. */
const mostLogitBytes = 32 * 1024 * 1024
const batchSizes: readonly number[] = [256, 128, 64, 32]

/** @example embeddingSize(model.facts, plan.contextTokens).maxTokens // 8192 */
export function embeddingSize(
  facts: Pick<ModelFacts, 'kvBytesPerToken' | 'vocabularySize' | 'width'>,
  contextTokens: number,
): EmbeddingSize {
  const { kvBytesPerToken } = facts
  const rowBytes = Float32Array.BYTES_PER_ELEMENT * (facts.vocabularySize + facts.width)
  const batchTokens = batchSizes.find((size) => size * rowBytes <= mostLogitBytes) ?? 16
  const fitting = kvBytesPerToken === 0 ? longestInput : Math.floor(mostKvBytes / kvBytesPerToken)
  const maxTokens = Math.max(1, Math.min(contextTokens, longestInput, fitting))
  return { maxTokens, batchTokens, bytes: (maxTokens + batchTokens) * kvBytesPerToken + batchTokens * rowBytes }
}
