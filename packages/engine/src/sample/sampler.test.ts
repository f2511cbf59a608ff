import type { Sampling } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SamplerWorkspace } from './sampler-workspace.ts'
import { Sampler } from './sampler.ts'

const plain: Sampling = {
  temperature: 1,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  repetitionPenalty: 1,
  logitBias: {},
}

interface SamplerCase {
  readonly sampling?: Partial<Sampling>
  readonly prompt?: readonly number[]
  readonly random?: () => number
}

function samplerOf(logits: Float32Array, { sampling = {}, prompt = [], random }: SamplerCase = {}): Sampler {
  return new Sampler({
    sampling: { ...plain, ...sampling },
    prompt: Int32Array.from(prompt),
    workspace: new SamplerWorkspace(logits.length),
    ...(random && { random }),
  })
}

/** Logits that leave nothing but one token. */
function onlyToken(token: number, vocabularySize: number): Float32Array {
  return new Float32Array(vocabularySize).fill(-Infinity).fill(0, token, token + 1)
}

function draws(logits: Float32Array, sampling: Partial<Sampling>, count: number): number[] {
  const sampler = samplerOf(logits, { sampling })
  return Array.from({ length: count }, () => sampler.sample(logits))
}

// Few distinct values, so that ties are common, and a wide and a narrow spread.
const logit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -8, max: 8 }) },
  { weight: 4, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ min: -200, max: 200, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(-Infinity) },
)
const logitsOf = fc
  .array(logit, { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from(values))
  .filter((values) => values.some((value) => value > -Infinity))
// Doubles from fast-check are nearly all tiny, and would leave one token.
const share = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000)
const filters = fc.record({
  topK: fc.integer({ min: 0, max: 70 }),
  topP: share,
  minP: fc.oneof(fc.constant(0), share),
})

/** Sorts everything and filters one after another; `slack` widens each limit by rounding. */
function naiveSupport(
  logits: Float32Array,
  limits: { readonly topK: number; readonly topP: number; readonly minP: number },
  slack: number,
): Set<number> {
  const tokens = [...logits.keys()].filter((token) => (logits[token] ?? 0) > -Infinity)
  tokens.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
  const kept = tokens.slice(0, limits.topK || undefined)
  const largest = logits[kept[0] ?? 0] ?? 0
  const weights = kept.map((token) => Math.exp((logits[token] ?? 0) - largest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const support = new Set<number>()
  let before = 0
  for (const [index, token] of kept.entries()) {
    const weight = weights[index] ?? 0
    const inTopP = index === 0 || limits.topP >= 1 || before / total < limits.topP + slack
    if (inTopP && weight >= limits.minP - slack) support.add(token)
    before += weight
  }
  return support
}

/** Every token that some random number selects with a weight worth naming. */
function observedSupport(logits: Float32Array, limits: Partial<Sampling>): Set<number> {
  let step = 0
  // A high temperature makes the survivors near equal: an even grid then meets each of them.
  const sampler = samplerOf(logits, { sampling: { ...limits, temperature: 1e6 }, random: () => step })
  const seen = new Set<number>()
  for (let index = 0; index < 400; index++) {
    step = index / 400
    seen.add(sampler.sample(logits))
  }
  return seen
}

test('the filters leave exactly what sorting and filtering leaves', () => {
  fc.assert(
    fc.property(logitsOf, filters, (logits, limits) => {
      const observed = observedSupport(logits, limits)
      const largest = naiveSupport(logits, limits, 1e-9)
      const smallest = naiveSupport(logits, limits, -1e-9)
      expect([...observed].filter((token) => !largest.has(token))).toEqual([])
      expect([...smallest].filter((token) => !observed.has(token))).toEqual([])
    }),
    { numRuns: 400 },
  )
})

test('logits are never written to, whatever adjusts them', () => {
  fc.assert(
    fc.property(logitsOf, filters, (logits, limits) => {
      const before = logits.slice()
      const sampler = samplerOf(logits, {
        sampling: { ...limits, repetitionPenalty: 1.3, presencePenalty: 0.5, logitBias: { 0: 3 } },
        prompt: [0],
      })
      sampler.sample(logits)
      sampler.sample(logits)
      expect(logits).toEqual(before)
    }),
  )
})

test('F-5 the same seed gives the same tokens, another seed others', () => {
  const logits = new Float32Array(1000)
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (seed, other) => {
      const tokens = draws(logits, { seed }, 20)
      expect(draws(logits, { seed }, 20)).toEqual(tokens)
      fc.pre(other !== seed)
      expect(draws(logits, { seed: other }, 20)).not.toEqual(tokens)
    }),
  )
  expect(draws(logits, { seed: -1 }, 20)).not.toEqual(draws(logits, { seed: 1 }, 20))
  expect(draws(logits, { seed: undefined }, 20)).not.toEqual(draws(logits, { seed: undefined }, 20))
})

test.each([0.5, 1, 1.7])('tokens are as frequent as the softmax at temperature %d says', (temperature) => {
  const logits = Float32Array.of(1, 2, 0, -1, 3, -Infinity, 1.5, 0.5)
  const weights = [...logits].map((value) => Math.exp(value / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const count = 40_000
  const seen = Array.from(logits, () => 0)
  for (const token of draws(logits, { temperature, seed: 7 }, count)) seen[token] = (seen[token] ?? 0) + 1
  let chiSquared = 0
  for (const [token, weight] of weights.entries()) {
    const expected = (weight / total) * count
    if (expected > 0) chiSquared += ((seen[token] ?? 0) - expected) ** 2 / expected
  }
  expect(seen[5]).toBe(0)
  // 6 degrees of freedom: 22.5 is exceeded once in a thousand seeds.
  expect(chiSquared).toBeLessThan(22.5)
})

test('temperature 0 takes the largest logit, of equals the lowest id', () => {
  fc.assert(
    fc.property(logitsOf, (logits) => {
      expect(samplerOf(logits, { sampling: { temperature: 0 } }).sample(logits)).toBe(
        logits.indexOf(Math.max(...logits)),
      )
    }),
  )
})

test.each([0, 1])('NaN anywhere is an error at temperature %d, never a token', (temperature) => {
  fc.assert(
    fc.property(logitsOf, fc.nat(), fc.constantFrom({}, { 0: 5 }), (logits, place, logitBias) => {
      const token = place % logits.length
      logits[token] = NaN
      const sampler = samplerOf(logits, { sampling: { temperature, topK: 2, topP: 0.5, logitBias } })
      expect(() => sampler.sample(logits)).toThrow(`token ${token} is NaN`)
    }),
  )
})

test('Infinity, nothing but masks, and a wrong length are errors', () => {
  const masked = new Float32Array(3).fill(-Infinity)
  expect(() => samplerOf(masked).sample(masked)).toThrow('all 3 logits are -Infinity')
  const infinite = Float32Array.of(0, Infinity)
  expect(() => samplerOf(infinite).sample(infinite)).toThrow('token 1 is Infinity')
  expect(() => samplerOf(masked).sample(infinite)).toThrow('2 logits, 3 expected')
})

test('bias and penalties move the greedy choice by exactly what they say', () => {
  const logits = Float32Array.of(4, 3, 2, -1)
  const greedy = (sampling: Partial<Sampling>, generated: number[], prompt: number[] = []): number => {
    const sampler = samplerOf(logits, { sampling: { ...sampling, temperature: 0 }, prompt })
    for (const token of generated) sampler.sample(onlyToken(token, logits.length))
    return sampler.sample(logits)
  }
  expect(greedy({ logitBias: { 3: 5.5 } }, [])).toBe(3)
  expect(greedy({ logitBias: { 3: 4.5 } }, [])).toBe(0)
  expect(greedy({ frequencyPenalty: 0.6 }, [0])).toBe(0)
  expect(greedy({ frequencyPenalty: 0.6 }, [0, 0])).toBe(1)
  expect(greedy({ presencePenalty: 0.9 }, [0, 0])).toBe(0)
  expect(greedy({ presencePenalty: 1.1 }, [0])).toBe(1)
  expect(greedy({ repetitionPenalty: 1.5 }, [0])).toBe(1)
  expect(greedy({ repetitionPenalty: 1.5 }, [], [0])).toBe(1)
  expect(greedy({ presencePenalty: 2, frequencyPenalty: 2 }, [], [0])).toBe(0)
  // Negative logits are multiplied: a repeated token never gains.
  expect(greedy({ repetitionPenalty: 2, logitBias: { 0: -9, 1: -9, 2: -3.5 } }, [3])).toBe(2)
})

test.each([0.5, 1, 100])('temperature %d comes behind the filters: it never changes what they leave', (temperature) => {
  // Shares 0.64, 0.24, 0.09, 0.03: top-p 0.8 leaves two, min-p 0.1 three.
  const logits = Float32Array.of(3, 2, 1, 0)
  const left = (limits: Partial<Sampling>): number[] => {
    let step = 0
    const sampler = samplerOf(logits, { sampling: { ...limits, temperature }, random: () => step })
    const seen = new Set<number>()
    for (step = 0; step < 1; step += 1 / 256) seen.add(sampler.sample(logits))
    return [...seen]
  }
  expect(left({ topP: 0.8 })).toEqual([0, 1])
  expect(left({ minP: 0.1 })).toEqual([0, 1, 2])
})

test('no random number draws a token whose weight is 0', () => {
  const random = fc.constantFrom(0, 2 ** -53, 0.5, 1 - 2 ** -53)
  fc.assert(
    fc.property(logitsOf, filters, random, (logits, limits, value) => {
      const temperature = 0.01
      const token = samplerOf(logits, { sampling: { ...limits, temperature }, random: () => value }).sample(logits)
      const weight = Math.exp(((logits[token] ?? 0) - Math.max(...logits)) / temperature)
      expect(weight).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})

test('samplers that take turns in one workspace give what each gives alone', () => {
  const logits = Float32Array.from({ length: 300 }, (_, token) => Math.sin(token) * 3)
  const samplings: Partial<Sampling>[] = [
    { seed: 1, topP: 0.9, frequencyPenalty: 0.5 },
    { seed: 2, topK: 40, logitBias: { 7: 4 } },
    { temperature: 0, presencePenalty: 1 },
  ]
  const workspace = new SamplerWorkspace(logits.length)
  const together = samplings.map(
    (sampling) => new Sampler({ sampling: { ...plain, ...sampling }, prompt: new Int32Array(), workspace }),
  )
  const turns = Array.from({ length: 30 }, () => together.map((sampler) => sampler.sample(logits)))
  const alone = samplings.map((sampling) => draws(logits, sampling, 30))
  expect(samplings.map((_, index) => turns.map((turn) => turn[index]))).toEqual(alone)
})

test('a repetition penalty close to 0 makes no Infinity, and hides none', () => {
  const sampling = { repetitionPenalty: 1e-300, temperature: 0 }
  const logits = Float32Array.of(4, 3, 2)
  expect(samplerOf(logits, { sampling, prompt: [1] }).sample(logits)).toBe(1)
  const broken = Float32Array.of(4, Infinity, 2)
  expect(() => samplerOf(broken, { sampling, prompt: [1] }).sample(broken)).toThrow('token 1 is Infinity')
})

test('a bias outside the vocabulary is refused with the ids allowed', () => {
  const make = (): Sampler => samplerOf(new Float32Array(4), { sampling: { logitBias: { 4: 1 } } })
  expect(make).toThrow(IncipitError)
  expect(make).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      param: '/logit_bias',
      message: '/logit_bias names token 4, ids from 0 to 3 allowed',
    }),
  )
})
