import type { TokenLogprob } from '@incipit/core'
import type { Model } from '../native/contract.ts'

/**
 * Log-probabilities under the raw logits, before bias, penalties and temperature: of the token chosen
 * and of the `count` likeliest tokens, likeliest first, of equals the lowest id. A token at -Infinity
 * is never an alternative.
 */
export function tokenLogprob(
  choice: { readonly logits: Float32Array; readonly token: number; readonly count: number },
  model: Pick<Model, 'tokenBytes' | 'tokenText'>,
): TokenLogprob {
  const { logits, token, count } = choice
  const total = logSumExp(logits)
  const describe = (id: number): Omit<TokenLogprob, 'top'> => {
    const bytes = model.tokenBytes(id)
    const text = bytes.length === 0 ? model.tokenText(id) : decoder.decode(bytes)
    return { token: text, logprob: (logits[id] as number) - total, bytes: [...bytes] }
  }
  return { ...describe(token), top: likeliest(logits, count).map(describe) }
}

const decoder = new TextDecoder()

function logSumExp(logits: Float32Array): number {
  let largest = -Infinity
  for (const logit of logits) if (logit > largest) largest = logit
  let sum = 0
  for (const logit of logits) {
    // Deeper ones together are below the rounding of a sum that is at least 1.
    if (logit - largest > -50) sum += Math.exp(logit - largest)
  }
  return largest + Math.log(sum)
}

function likeliest(logits: Float32Array, count: number): readonly number[] {
  const tokens: number[] = []
  if (count === 0) return tokens
  let smallest = -Infinity
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token] as number
    if (logit <= smallest) continue
    let place = Math.min(tokens.length, count - 1)
    for (; place > 0 && (logits[tokens[place - 1] as number] as number) < logit; place--) {
      tokens[place] = tokens[place - 1] as number
    }
    tokens[place] = token
    if (tokens.length === count) smallest = logits[tokens[count - 1] as number] as number
  }
  return tokens
}
