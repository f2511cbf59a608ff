import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dialect } from '../domain/dialect.ts'
import type { Usage } from '../domain/usage.ts'
import { inputTokens, unreportedUsage } from '../domain/usage.ts'
import { createAnthropicMessages } from './anthropic-messages/index.ts'
import { createOpenaiChat } from './openai-chat/index.ts'
import { createOpenaiResponses } from './openai-responses/index.ts'
import { createWorkersAi } from './workers-ai/index.ts'

const chat = createOpenaiChat()
const responses = createOpenaiResponses()
const messages = createAnthropicMessages()
const workersAi = createWorkersAi()

/** One prompt of 9,727 tokens of which 9,216 are read: as each provider reports it, and what that is. */
const golden: readonly {
  readonly provider: string
  readonly dialect: Dialect
  readonly raw: Readonly<Record<string, unknown>>
  readonly buckets: Readonly<Partial<Record<keyof Usage, number>>>
  readonly total?: number
}[] = [
  {
    provider: 'OpenAI from GPT-5.6 on, and Azure',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480, audio_tokens: 0 }),
    buckets: { fresh: 31, read: 9_216, write30m: 480, output: 12 },
  },
  {
    provider: 'OpenAI before GPT-5.6',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216, audio_tokens: 0 }),
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'OpenAI Responses from GPT-5.6 on',
    dialect: responses,
    raw: responsesUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }),
    buckets: { fresh: 31, read: 9_216, write30m: 480, output: 12 },
  },
  {
    provider: 'OpenAI Responses before GPT-5.6, DeepSeek and xAI Responses',
    dialect: responses,
    raw: responsesUsage({ cached_tokens: 9_216 }),
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'Fireworks, Groq, Z.ai, Mistral, SGLang',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216 }),
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'OpenRouter, with what it charged',
    dialect: chat,
    raw: { ...chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }), cost: 0.001, cost_details: {} },
    buckets: { fresh: 31, read: 9_216, write30m: 480, output: 12 },
  },
  {
    provider: 'Workers AI',
    dialect: workersAi,
    raw: chatUsage({ cached_tokens: 9_216 }),
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'DeepSeek',
    dialect: chat,
    raw: {
      ...chatUsage({ cached_tokens: 9_216 }),
      prompt_cache_hit_tokens: 9_216,
      prompt_cache_miss_tokens: 511,
    },
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'xAI',
    dialect: chat,
    raw: {
      ...chatUsage({ text_tokens: 9_727, audio_tokens: 0, image_tokens: 0, cached_tokens: 9_216 }),
      total_tokens: 9_839,
      completion_tokens_details: { reasoning_tokens: 100 },
    },
    buckets: { fresh: 511, read: 9_216, output: 112 },
  },
  {
    provider: 'xAI, where what is read stands beside the prompt, and reasoning beside the completion',
    dialect: chat,
    raw: {
      prompt_tokens: 511,
      completion_tokens: 12,
      total_tokens: 9_839,
      prompt_tokens_details: { cached_tokens: 9_216 },
      completion_tokens_details: { reasoning_tokens: 100 },
    },
    buckets: { fresh: 511, read: 9_216, output: 112 },
  },
  {
    provider: 'Moonshot, Together, older answers',
    dialect: chat,
    raw: { ...chatUsage(), cached_tokens: 9_216 },
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'Mistral, by its own names',
    dialect: chat,
    raw: { ...chatUsage(), num_cached_tokens: 9_216, prompt_token_details: { cached_tokens: 9_216 } },
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'Alibaba, with explicit marks',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216, cache_creation_input_tokens: 480 }),
    buckets: { fresh: 31, read: 9_216, write5m: 480, output: 12 },
  },
  {
    provider: 'one that gives what it wrote under two names',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480, cache_creation_input_tokens: 480 }),
    buckets: { fresh: 31, read: 9_216, write30m: 480, output: 12 },
  },
  {
    provider: 'vLLM with its flag: tokens that it stored are computed ones',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216, created_cache_tokens: 496, multimodal_tokens: 0 }),
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'vLLM and SGLang without their flags',
    dialect: chat,
    raw: { ...chatUsage(), prompt_tokens_details: null },
    buckets: { fresh: 9_727, output: 12 },
  },
  {
    provider: 'llama-server',
    dialect: chat,
    raw: chatUsage({ cached_tokens: 9_216 }),
    buckets: { fresh: 511, read: 9_216, output: 12 },
  },
  {
    provider: 'Anthropic',
    dialect: messages,
    raw: messagesUsage({ ephemeral_5m_input_tokens: 480, ephemeral_1h_input_tokens: 0 }),
    buckets: { fresh: 31, read: 9_216, write5m: 480, write1h: 0, output: 12 },
  },
  {
    provider: 'Anthropic, for one hour',
    dialect: messages,
    raw: messagesUsage({ ephemeral_5m_input_tokens: 80, ephemeral_1h_input_tokens: 400 }),
    buckets: { fresh: 31, read: 9_216, write5m: 80, write1h: 400, output: 12 },
  },
  {
    provider: 'MiniMax, and whoever has the aggregate alone',
    dialect: messages,
    raw: messagesUsage(),
    buckets: { fresh: 31, read: 9_216, write5m: 480, output: 12 },
  },
]

test.each(golden)('D-41 D-42 $provider ($dialect.name)', ({ dialect, raw, buckets }) => {
  const usage = dialect.usage(raw)?.buckets
  expect(usage).toEqual({ ...unreportedUsage, ...buckets })
  expect(inputTokens(usage ?? unreportedUsage)).toBe(9_727)
  expect(dialect.inputTotal(raw)).toBe(9_727)
})

describe('D-41 counts that do not sum to the total of the provider stay as they are, and so does the total', () => {
  test.each([
    ['more parts than the whole', chat, chatUsage({ cached_tokens: 9_700, cache_write_tokens: 480 }), 10_180],
    ['the same in Responses', responses, responsesUsage({ cached_tokens: 9_700, cache_write_tokens: 480 }), 10_180],
    [
      'more misses than the rest',
      chat,
      { ...chatUsage({ cached_tokens: 27 }), prompt_cache_miss_tokens: 9_800 },
      9_827,
    ],
    [
      'a split larger than the aggregate',
      messages,
      messagesUsage({ ephemeral_5m_input_tokens: 480, ephemeral_1h_input_tokens: 400 }),
      10_127,
    ],
  ])('%s', (_, dialect, raw, sum) => {
    expect(inputTokens(dialect.usage(raw)?.buckets ?? unreportedUsage)).toBe(sum)
    expect(dialect.inputTotal(raw)).toBe(9_727)
  })

  test('what is read beside the prompt is in no total that was given: the two differ', () => {
    const raw = { prompt_tokens: 511, completion_tokens: 12, prompt_tokens_details: { cached_tokens: 9_216 } }
    expect(inputTokens(chat.usage(raw)?.buckets ?? unreportedUsage)).toBe(9_727)
    expect(chat.inputTotal(raw)).toBe(511)
  })
})

test('what has no counts has no total', () => {
  for (const dialect of [chat, responses, workersAi]) expect(dialect.inputTotal({})).toBeUndefined()
  expect(messages.inputTotal({})).toBeUndefined()
  expect(messages.inputTotal({ input_tokens: 5, cache_creation: { ephemeral_5m_input_tokens: 3 } })).toBeUndefined()
})

const tokens = fc.nat(1_000_000)
const maybe = fc.option(tokens, { nil: undefined })

test('D-41 D-42 for random usage in every dialect the buckets are the parts, and sum to the total', () => {
  fc.assert(
    fc.property(tokens, tokens, maybe, maybe, tokens, fc.nat(1_000), (fresh, read, short, long, output, reasoning) => {
      const written = (short ?? 0) + (long ?? 0)
      const total = fresh + read + written
      // More read than all input together means that it stands beside it: see xAI.
      const details = { cached_tokens: read, ...(short === undefined ? {} : { cache_write_tokens: written }) }
      const inclusive = { prompt_tokens: total, completion_tokens: output, prompt_tokens_details: details }
      const additive = {
        input_tokens: fresh,
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
        cache_creation: { ephemeral_5m_input_tokens: short ?? 0, ephemeral_1h_input_tokens: long ?? 0 },
        output_tokens: output,
      }
      const xai = {
        ...inclusive,
        total_tokens: total + output + reasoning,
        completion_tokens_details: { reasoning_tokens: reasoning },
      }
      for (const [dialect, raw] of [
        [chat, inclusive],
        [workersAi, inclusive],
        [chat, { ...inclusive, total_tokens: total + output }],
        [chat, xai],
        [responses, { input_tokens: total, output_tokens: output, input_tokens_details: details }],
      ] as const) {
        const usage = dialect.usage(raw)?.buckets ?? unreportedUsage
        expect(inputTokens(usage)).toBe(total)
        expect(dialect.inputTotal(raw)).toBe(total)
        expect(usage.read).toBe(read)
        expect(usage.write30m).toBe(short === undefined ? undefined : written)
      }
      expect(chat.usage(xai)?.buckets.output).toBe(output + reasoning)
      const usage = messages.usage(additive)?.buckets
      // Counts that add up to no prompt at all were filled in: nobody reported them.
      const known = { fresh, read, write5m: short ?? 0, write1h: long ?? 0, output }
      expect({ ...unreportedUsage, ...usage }).toMatchObject(total === 0 ? { fresh: undefined } : known)
      expect(messages.inputTotal(additive)).toBe(total)
    }),
  )
})

function chatUsage(details?: Readonly<Record<string, number>>): Readonly<Record<string, unknown>> {
  const counts = { prompt_tokens: 9_727, completion_tokens: 12, total_tokens: 9_739 }
  return details === undefined ? counts : { ...counts, prompt_tokens_details: details }
}

function responsesUsage(details: Readonly<Record<string, number>>): Readonly<Record<string, unknown>> {
  return {
    input_tokens: 9_727,
    input_tokens_details: details,
    output_tokens: 12,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 9_739,
  }
}

function messagesUsage(split?: Readonly<Record<string, number>>): Readonly<Record<string, unknown>> {
  return {
    input_tokens: 31,
    cache_creation_input_tokens: 480,
    cache_read_input_tokens: 9_216,
    ...(split === undefined ? {} : { cache_creation: split }),
    output_tokens: 12,
    service_tier: 'standard',
  }
}
