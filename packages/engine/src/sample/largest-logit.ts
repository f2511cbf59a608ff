/**
 * The token with the largest logit; of equals, the lowest id.
 * @throws Error on NaN or Infinity anywhere, and when every logit is -Infinity
 */
export function largestLogit(logits: Float32Array): number {
  let best = -1
  let largest = -Infinity
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token] as number
    // Also true for NaN: one comparison per token checks both.
    if (!(logit <= largest)) {
      if (Number.isNaN(logit)) throw new Error(`the logit of token ${token} is NaN: the model's output is broken`)
      best = token
      largest = logit
    }
  }
  if (best === -1) throw new Error(`all ${logits.length} logits are -Infinity: no token can be sampled`)
  if (largest === Infinity) throw new Error(`the logit of token ${best} is Infinity: the model's output is broken`)
  return best
}
