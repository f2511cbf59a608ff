import { IncipitError } from '@incipit/core'
import type { EmbeddingRequest } from '../engine.ts'
import type { Model } from '../native/contract.ts'

/** Tokens of all inputs of one request together: what OpenAI takes. */
const mostTokens = 300_000
/** No token of a vocabulary stands for more bytes than this in the mean of a text. */
const mostBytesPerToken = 64

/**
 * The tokens of inputs: text with the tokens that the model begins and ends an input with, token ids as they came.
 * @throws IncipitError naming the input that cannot be, with the number seen and the number allowed
 */
export function embeddingTokens(
  model: Model,
  inputs: EmbeddingRequest['inputs'],
  { maxTokens }: { readonly maxTokens: number },
): readonly Int32Array[] {
  let total = 0
  return inputs.map((input, index) => {
    const tokens = typeof input === 'string' ? tokensOfText(model, input, maxTokens) : idsOf(model, input, index)
    total += tokens.length
    if (total > mostTokens) {
      const message = `the inputs up to ${index} have ${total} tokens, ${mostTokens} allowed in one request`
      throw new IncipitError('invalid_request', message, { param: '/input' })
    }
    return tokens
  })
}

function tokensOfText(model: Model, text: string, maxTokens: number): Int32Array {
  // Far too long is found out without tokenising it.
  if (text.length > maxTokens * mostBytesPerToken) {
    const message = `an input has ${text.length} characters, more than ${maxTokens} tokens stand for`
    throw new IncipitError('context_overflow', message, { param: '/input' })
  }
  const { addsBos, bosToken, addsEos, eosToken } = model.facts
  const tokens = model.tokenize(text, { special: false })
  return Int32Array.of(...(addsBos ? [bosToken] : []), ...tokens, ...(addsEos ? [eosToken] : []))
}

function idsOf(model: Model, ids: readonly number[], index: number): Int32Array {
  const { vocabularySize } = model.facts
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize)
  if (wrong === undefined) return Int32Array.from(ids)
  const message = `input ${index} names token ${wrong}, ids from 0 to ${vocabularySize - 1} allowed`
  throw new IncipitError('invalid_request', message, { param: '/input' })
}
