import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CandidateCut, isWithin, noCut } from './candidate-cut.ts'

function cutOf(size: number): CandidateCut {
  return new CandidateCut(new Int32Array(size), new Float64Array(size))
}

/** Ids in descending order of logits, masked ones left out. */
function sorted(logits: Float32Array): number[] {
  const tokens = [...logits.keys()].filter((token) => (logits[token] ?? 0) > -Infinity)
  return tokens.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
}

function within(logits: Float32Array, cut: { readonly logit: number; readonly token: number }): number[] {
  return sorted(logits).filter((token) => isWithin(cut, logits[token] ?? 0, token))
}

// From the smallest float to the largest: bins of equal width must be narrowed again and again.
const logitsOf = fc
  .array(
    fc.oneof(
      fc.float({ noNaN: true, max: 2 ** 127 }),
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: -149, max: 126 }).map((exponent) => 2 ** exponent),
      fc.integer({ min: -149, max: 126 }).map((exponent) => -(2 ** exponent)),
    ),
    { minLength: 1, maxLength: 200 },
  )
  .map((values) => Float32Array.from(values))
  .filter((values) => values.some((value) => value > -Infinity))

test('top-k keeps exactly the first k of the sorted vocabulary, at any scale', () => {
  fc.assert(
    fc.property(logitsOf, fc.integer({ min: 1, max: 200 }), (logits, count) => {
      expect(within(logits, cutOf(logits.length).topK(logits, count))).toEqual(sorted(logits).slice(0, count))
    }),
    { numRuns: 500 },
  )
})

test('top-p of equal logits keeps the lowest ids, as many as the share takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), (size, wanted) => {
      const kept = Math.min(size, wanted)
      const logits = new Float32Array(size).fill(-1.5)
      const share = (kept - 0.5) / size
      const cut = cutOf(size).topP(logits, -1.5, { within: noCut, share })
      expect(cut).toEqual({ logit: -1.5, token: kept - 1 })
    }),
  )
})

test('top-p takes its share of what top-k leaves', () => {
  const logits = Float32Array.of(0, 0, 0, 0, -1, -1)
  const cut = cutOf(logits.length)
  const four = cut.topK(logits, 4)
  expect(four).toEqual({ logit: 0, token: 3 })
  expect(cut.topP(logits, 0, { within: four, share: 0.5 })).toEqual({ logit: 0, token: 1 })
  expect(cut.topP(logits, 0, { within: noCut, share: 0.5 })).toEqual({ logit: 0, token: 2 })
})

test('many unlikely tokens count as much as they weigh together', () => {
  // One token of weight 1, then 999 that weigh 49.7 together: half of all is 490 of those.
  const logits = new Float32Array(1_000).fill(-3).fill(0, 0, 1)
  const weight = Math.exp(-3)
  const needed = Math.ceil((0.5 * (1 + 999 * weight) - 1) / weight)
  expect(cutOf(1_000).topP(logits, 0, { within: noCut, share: 0.5 })).toEqual({ logit: -3, token: needed })
})
