import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { tokenLogprob } from './token-logprob.ts'

const logit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -8, max: 8 }) },
  { weight: 2, arbitrary: fc.float({ min: -200, max: 200, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(-Infinity) },
)
const logitsOf = fc
  .array(logit, { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from(values))
  .filter((values) => values.some((value) => value > -Infinity))

/** Every token is spelled as its id. */
const model = {
  tokenBytes: (token: number) => new TextEncoder().encode(String(token)),
  tokenText: () => '',
}

test('log-probabilities are those of the softmax; masked tokens are no alternatives', () => {
  fc.assert(
    fc.property(logitsOf, fc.integer({ min: 0, max: 20 }), (logits, count) => {
      const largest = Math.max(...logits)
      const token = logits.indexOf(largest)
      const { logprob, top } = tokenLogprob({ logits, token, count }, model)
      const normaliser = largest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0))
      const finite = [...logits.keys()].filter((id) => (logits[id] ?? 0) > -Infinity)
      finite.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
      expect(logprob).toBeCloseTo(largest - normaliser, 9)
      expect(top.map((candidate) => candidate.token)).toEqual(finite.slice(0, count).map(String))
      for (const candidate of top) {
        expect(candidate.logprob).toBeCloseTo((logits[Number(candidate.token)] ?? 0) - normaliser, 9)
      }
    }),
  )
})

test('a token without bytes goes by its name in the vocabulary', () => {
  const control = { tokenBytes: () => new Uint8Array(), tokenText: () => '<|end|>' }
  const described = tokenLogprob({ logits: Float32Array.of(0), token: 0, count: 0 }, control)
  expect(described).toEqual({ token: '<|end|>', logprob: 0, bytes: [], top: [] })
})
