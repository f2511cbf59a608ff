import { chat, messages, responses } from './dialects.ts'
import type { Spoken } from './dialects.ts'

type Counts = Readonly<Record<string, unknown>>

/** What a provider reports of one prompt of 9,727 tokens, whole and streamed, and what the ledger is to make of it. */
export interface UsageShape {
  readonly provider: string
  readonly model: string
  readonly spoken: Spoken
  readonly usage: Counts
  /** Further members of the answer, and of the last chunk of a stream. */
  readonly beside?: Counts
  /** Further members of the body. */
  readonly asked?: Counts
  /** Where a stream has its usage; else in a last chunk of its own, or in the terminal event. */
  readonly streamed?: 'x_groq' | 'choice' | 'every-chunk'
  readonly buckets: Counts
  readonly tier?: string
  readonly costUsd: number | null
}

const nothing = { write_5m: null, write_30m: null, write_1h: null, write_12h: null }
const read = { ...nothing, fresh: 511, read: 9_216, output: 12 }
const written = { ...nothing, fresh: 31, read: 9_216, output: 12 }

/** Costs are by the price lists of November 2026, in USD: fresh, read and written tokens, and 12 of output. */
export const usageShapes: readonly UsageShape[] = [
  {
    provider: 'anthropic',
    model: 'claude-opus-5-5',
    spoken: messages,
    usage: {
      ...messagesUsage({ ephemeral_5m_input_tokens: 480, ephemeral_1h_input_tokens: 0 }),
      service_tier: 'standard',
    },
    buckets: { ...written, write_5m: 480, write_1h: 0 },
    tier: 'standard',
    costUsd: (31 * 4 + 9_216 * 0.2 + 480 * 5 + 12 * 20) / 1e6,
  },
  {
    provider: 'anthropic',
    model: 'claude-sonnet-4-6',
    spoken: messages,
    usage: {
      ...messagesUsage({ ephemeral_5m_input_tokens: 80, ephemeral_1h_input_tokens: 400 }),
      service_tier: 'batch',
    },
    buckets: { ...written, write_5m: 80, write_1h: 400 },
    tier: 'batch',
    costUsd: (31 * 3 + 9_216 * 0.3 + 80 * 3.75 + 400 * 6 + 12 * 15) / 2e6,
  },
  {
    provider: 'minimax',
    model: 'unheard-of',
    spoken: messages,
    usage: messagesUsage(),
    buckets: { ...written, write_5m: 480 },
    costUsd: null,
  },
  {
    provider: 'openai',
    model: 'gpt-6-sol',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480, audio_tokens: 0 }),
    beside: { service_tier: 'default' },
    buckets: { ...written, write_30m: 480 },
    tier: 'default',
    costUsd: (31 * 2 + 9_216 * 0.2 + 480 * 2.5 + 12 * 10) / 1e6,
  },
  {
    provider: 'openai',
    model: 'gpt-4.1',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216, audio_tokens: 0 }),
    beside: { service_tier: 'default' },
    buckets: read,
    tier: 'default',
    costUsd: (511 * 2 + 9_216 * 0.5 + 12 * 8) / 1e6,
  },
  {
    provider: 'openai',
    model: 'gpt-6.1-terra',
    spoken: responses,
    usage: responsesUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }),
    beside: { service_tier: 'flex' },
    buckets: { ...written, write_30m: 480 },
    tier: 'flex',
    costUsd: (31 + 9_216 * 0.05 + 480 * 1.25 + 12 * 5) / 2e6,
  },
  {
    // The one count of what was written does not say for how long: what was asked for does.
    provider: 'openai',
    model: 'gpt-6.1-terra',
    spoken: responses,
    usage: responsesUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }),
    asked: { prompt_cache_options: { ttl: '12h' } },
    buckets: { ...written, write_12h: 480 },
    costUsd: (31 + 9_216 * 0.05 + 480 * 2.5 + 12 * 5) / 1e6,
  },
  {
    provider: 'azure-openai',
    model: 'gpt-6-sol',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }),
    buckets: { ...written, write_30m: 480 },
    costUsd: (31 * 2 + 9_216 * 0.2 + 480 * 2.5 + 12 * 10) / 1e6,
  },
  {
    provider: 'fireworks',
    model: 'accounts/fireworks/models/kimi-k2p6',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216 }),
    buckets: read,
    costUsd: (511 * 0.95 + 9_216 * 0.16 + 12 * 4) / 1e6,
  },
  {
    provider: 'openrouter',
    model: 'anthropic/claude-opus-5.5',
    spoken: chat,
    usage: { ...chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }), cost: 0.004_612_5, cost_details: {} },
    buckets: { ...written, write_5m: 480 },
    costUsd: (31 * 4 + 9_216 * 0.2 + 480 * 5 + 12 * 20) / 1e6,
  },
  {
    provider: 'deepseek',
    model: 'deepseek-unheard-of',
    spoken: chat,
    usage: {
      ...chatUsage({ cached_tokens: 9_216 }),
      prompt_cache_hit_tokens: 9_216,
      prompt_cache_miss_tokens: 511,
    },
    buckets: read,
    costUsd: null,
  },
  {
    provider: 'deepseek',
    model: 'deepseek-unheard-of',
    spoken: responses,
    usage: responsesUsage({ cached_tokens: 9_216 }),
    buckets: read,
    costUsd: null,
  },
  {
    provider: 'xai',
    model: 'grok-4.7',
    spoken: chat,
    usage: {
      ...chatUsage({ text_tokens: 9_727, audio_tokens: 0, image_tokens: 0, cached_tokens: 9_216 }),
      total_tokens: 9_839,
      completion_tokens_details: { reasoning_tokens: 100 },
    },
    streamed: 'every-chunk',
    buckets: { ...read, output: 112 },
    costUsd: (511 * 2 + 9_216 * 0.5 + 112 * 6) / 1e6,
  },
  {
    provider: 'xai',
    model: 'grok-4.7',
    spoken: chat,
    usage: {
      prompt_tokens: 511,
      completion_tokens: 12,
      total_tokens: 9_739,
      prompt_tokens_details: { cached_tokens: 9_216 },
    },
    buckets: read,
    costUsd: (511 * 2 + 9_216 * 0.5 + 12 * 6) / 1e6,
  },
  {
    provider: 'moonshot',
    model: 'kimi-k3.1-pro',
    spoken: chat,
    usage: { ...chatUsage({ cached_tokens: 9_216, cache_write_tokens: 480 }), cached_tokens: 9_216 },
    streamed: 'choice',
    buckets: { ...written, write_5m: 480 },
    costUsd: (31 * 2 + 9_216 * 0.2 + 480 * 2 + 12 * 10) / 1e6,
  },
  {
    provider: 'zai',
    model: 'glm-5.3',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216 }),
    buckets: read,
    costUsd: (511 * 1.4 + 9_216 * 0.26 + 12 * 4.4) / 1e6,
  },
  {
    provider: 'alibaba',
    model: 'qwen3.7-max',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216, cache_creation_input_tokens: 480 }),
    buckets: { ...written, write_5m: 480 },
    costUsd: (31 * 2.5 + 9_216 * 0.5 + 480 * 3.125 + 12 * 7.5) / 1e6,
  },
  {
    provider: 'groq',
    model: 'gpt-oss-120b',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216 }),
    beside: { service_tier: 'on_demand' },
    streamed: 'x_groq',
    buckets: read,
    tier: 'on_demand',
    costUsd: (511 * 0.15 + 9_216 * 0.075 + 12 * 0.6) / 1e6,
  },
  {
    provider: 'together',
    model: 'zai-org/GLM-5.2',
    spoken: chat,
    usage: { ...chatUsage(), cached_tokens: 9_216 },
    buckets: read,
    costUsd: (511 * 1.4 + 9_216 * 0.26 + 12 * 4.4) / 1e6,
  },
  {
    provider: 'mistral',
    model: 'unheard-of',
    spoken: chat,
    usage: { ...chatUsage(), num_cached_tokens: 9_216, prompt_token_details: { cached_tokens: 9_216 } },
    buckets: read,
    costUsd: null,
  },
  {
    provider: 'vllm',
    model: 'llama-3',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216, created_cache_tokens: 496, multimodal_tokens: 0 }),
    buckets: read,
    costUsd: null,
  },
  {
    provider: 'sglang',
    model: 'llama-3',
    spoken: chat,
    usage: { ...chatUsage(), prompt_tokens_details: null },
    streamed: 'every-chunk',
    buckets: { ...nothing, fresh: 9_727, read: null, output: 12 },
    costUsd: null,
  },
  {
    provider: 'llama-server',
    model: 'llama-3',
    spoken: chat,
    usage: chatUsage({ cached_tokens: 9_216 }),
    beside: { timings: { cache_n: 9_216, prompt_n: 511, predicted_n: 12 } },
    buckets: read,
    costUsd: null,
  },
  {
    // It says that it has read none whatever it has read.
    provider: 'ollama',
    model: 'llama-3',
    spoken: responses,
    usage: responsesUsage({ cached_tokens: 0 }),
    buckets: { ...nothing, fresh: 9_727, read: null, output: 12 },
    costUsd: null,
  },
]

function chatUsage(details?: Counts): Counts {
  const counts = { prompt_tokens: 9_727, completion_tokens: 12, total_tokens: 9_739 }
  return details === undefined ? counts : { ...counts, prompt_tokens_details: details }
}

function responsesUsage(details: Counts): Counts {
  return {
    input_tokens: 9_727,
    input_tokens_details: details,
    output_tokens: 12,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 9_739,
  }
}

function messagesUsage(split?: Counts): Counts {
  return {
    input_tokens: 31,
    cache_creation_input_tokens: 480,
    cache_read_input_tokens: 9_216,
    ...(split === undefined ? {} : { cache_creation: split }),
    output_tokens: 12,
  }
}
