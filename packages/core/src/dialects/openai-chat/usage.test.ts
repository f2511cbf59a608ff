import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { inputTokens, unreportedUsage } from '../../domain/usage.ts'
import { mergeUsage } from '../shared/merge-usage.ts'
import { chatUsage } from '../shared/token-counts.ts'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const counts = { prompt_tokens: 9_727, completion_tokens: 12, total_tokens: 9_739 }

/** What each provider reports of one prompt of 9,727 tokens, and the buckets it falls into. */
const golden: readonly [provider: string, raw: object, buckets: object, reasoning?: number][] = [
  [
    'OpenAI 5.6 and OpenRouter: read and written tokens are inside the total',
    { ...counts, prompt_tokens_details: { cached_tokens: 9_216, cache_write_tokens: 480, audio_tokens: 0 } },
    { fresh: 31, read: 9_216, write30m: 480, output: 12 },
  ],
  [
    'Fireworks, Workers AI, Groq, Z.ai: cached tokens only',
    { ...counts, prompt_tokens_details: { cached_tokens: 9_216 } },
    { fresh: 511, read: 9_216, output: 12 },
  ],
  [
    'a reported 0 is cold',
    { ...counts, prompt_tokens_details: { cached_tokens: 0 } },
    { fresh: 9_727, read: 0, output: 12 },
  ],
  [
    'vLLM and SGLang without their flags report nothing about the cache',
    { ...counts, prompt_tokens_details: null },
    { fresh: 9_727, output: 12 },
  ],
  [
    'DeepSeek names hits and misses',
    { ...counts, prompt_cache_hit_tokens: 9_216, prompt_cache_miss_tokens: 511 },
    { fresh: 511, read: 9_216, output: 12 },
  ],
  [
    'hits and misses alone make a total',
    { completion_tokens: 12, prompt_cache_hit_tokens: 9_216, prompt_cache_miss_tokens: 511 },
    { fresh: 511, read: 9_216, output: 12 },
  ],
  [
    'Alibaba: written tokens are inside the total, for 5 minutes',
    { ...counts, prompt_tokens_details: { cached_tokens: 9_000, cache_creation_input_tokens: 700 } },
    { fresh: 27, read: 9_000, write5m: 700, output: 12 },
  ],
  ['Moonshot and Together at top level', { ...counts, cached_tokens: 9_216 }, { fresh: 511, read: 9_216, output: 12 }],
  ['Mistral by its own name', { ...counts, num_cached_tokens: 9_216 }, { fresh: 511, read: 9_216, output: 12 }],
  [
    'Mistral in the singular',
    { ...counts, prompt_token_details: { cached_tokens: 9_216 } },
    { fresh: 511, read: 9_216, output: 12 },
  ],
  [
    'xAI: more cached than prompt tokens stand beside them',
    { prompt_tokens: 511, completion_tokens: 12, prompt_tokens_details: { cached_tokens: 9_216 } },
    { fresh: 511, read: 9_216, output: 12 },
  ],
  [
    'xAI: reasoning is billed beside the completion, as its total tells',
    { ...counts, total_tokens: 9_839, completion_tokens_details: { reasoning_tokens: 100 } },
    { fresh: 9_727, output: 112 },
    100,
  ],
  [
    'OpenAI: reasoning is inside the completion',
    { ...counts, completion_tokens_details: { reasoning_tokens: 8 } },
    { fresh: 9_727, output: 12 },
    8,
  ],
  [
    'more written than there is room for stays as it was reported',
    { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 5 } },
    { fresh: 0, read: 8, write30m: 5 },
  ],
  [
    'what is no count is not reported',
    { prompt_tokens: 'many', completion_tokens: 4, prompt_tokens_details: { cached_tokens: -1 } },
    { output: 4 },
  ],
]

test.each(golden)('D-41 cached tokens are counted once: %s', (_, raw, buckets, reasoning) => {
  const expected = { buckets: { ...unreportedUsage, ...buckets }, reasoningTokens: reasoning }
  expect(dialect.usage(raw as Record<string, unknown>)).toEqual(expected)
})

test.each([
  [{ usage: counts }, counts],
  [{ choices: [], x_groq: { usage: counts } }, counts],
  [{ choices: [{ usage: counts }] }, counts],
  [{ usage: null }, undefined],
  [{}, undefined],
  [null, undefined],
  ['text', undefined],
])('usage is found where providers put it: %j', (answer, expected) => {
  expect(dialect.rawUsage(answer)).toEqual(expected)
})

test('no counts are no usage', () => {
  expect(dialect.usage({ prompt_tokens: -1 })).toBeUndefined()
  expect(dialect.usage({})).toBeUndefined()
})

const count = fc.option(fc.nat(100_000), { nil: undefined })

test('D-41 what is read is what was written, and the input sums to the total', () => {
  const buckets = fc.record({ fresh: fc.nat(100_000), read: count, write30m: count, output: count })
  fc.assert(
    fc.property(buckets, (known) => {
      // More cached than the rest together would be read as beside it: see xAI.
      const usage = { ...unreportedUsage, ...known } as typeof unreportedUsage
      const written = chatUsage({ buckets: usage, reasoningTokens: undefined })
      expect(written.prompt_tokens).toBe(inputTokens(usage))
      const read = dialect.usage(written as unknown as Record<string, unknown>)
      expect(read).toEqual({ buckets: usage, reasoningTokens: undefined })
    }),
  )
})

test('every write that a target reports leaves as one count, and none leaves as none', () => {
  const buckets = { ...unreportedUsage, fresh: 1, read: 2, write5m: 3, write1h: 4, output: 5 } as typeof unreportedUsage
  expect(chatUsage({ buckets, reasoningTokens: undefined })).toEqual({
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 15,
    prompt_tokens_details: { cached_tokens: 2, cache_write_tokens: 7 },
  })
  expect(chatUsage({ buckets: unreportedUsage, reasoningTokens: undefined })).toEqual({})
})

test('D-43 merging takes the larger count of each field, in any order and any number of times', () => {
  const usage = fc.record(
    {
      prompt_tokens: fc.nat(),
      completion_tokens: fc.nat(),
      prompt_tokens_details: fc.option(fc.record({ cached_tokens: fc.nat() }, { requiredKeys: [] })),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(usage, usage, (a, b) => {
      const merged = mergeUsage(a, b)
      expect(mergeUsage(merged, b)).toEqual(merged)
      expect(dialect.usage(mergeUsage(b, a) ?? {})).toEqual(dialect.usage(merged ?? {}))
      expect(merged?.['completion_tokens']).toBe(largest(a.completion_tokens, b.completion_tokens))
    }),
  )
  expect(mergeUsage(undefined, { a: 1 })).toEqual({ a: 1 })
  expect(mergeUsage({ a: 1 }, undefined)).toEqual({ a: 1 })
})

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}
