import type { Rule } from '../rule.ts'

const guide = 'https://developers.openai.com/api/docs/guides/prompt-caching'
const read = { source: guide, asOf: '2026-11-20', certainty: 'verified' } as const
const sdk = {
  source: 'https://github.com/openai/openai-node (6.49.0, types)',
  asOf: '2026-11-25',
  certainty: 'verified',
} as const
const own = { source: 'docs/emulators.md', asOf: '2026-11-25', certainty: 'unverified' } as const

const minute = 60_000
const hour = 60 * minute

interface CacheRules {
  readonly minTokens: Rule<number>
  /** Before 5.6: entries, and `cached_tokens`, come in steps. */
  readonly stepTokens: Rule<number>
  readonly retentions: Rule<Readonly<Record<'in_memory' | '24h', { readonly ttlMs: number; readonly lifeMs: number }>>>
  /** From 5.6. */
  readonly ttls: Rule<Readonly<Record<'30m' | '12h', number>>>
  readonly defaultTtl: Rule<'30m' | '12h'>
  readonly maxWrites: Rule<number>
  readonly lookupFirst: Rule<number>
  readonly lookupLatest: Rule<number>
  readonly lookupEndings: Rule<number>
  /** The first tokens that decide on the machine. */
  readonly routingTokens: Rule<number>
  readonly overflowRpm: Rule<number>
  readonly overflowWindowMs: Rule<number>
}

/** The cache rules of OpenAI, both generations, each with where it was read. */
export const cacheRules: CacheRules = {
  minTokens: { value: 1_024, ...read },
  stepTokens: { value: 128, ...read },
  retentions: {
    value: { in_memory: { ttlMs: 10 * minute, lifeMs: hour }, '24h': { ttlMs: 24 * hour, lifeMs: 24 * hour } },
    ...read,
    note: '5-10 minutes idle and at most an hour, or up to 24 hours: the emulator takes the longest of each',
  },
  ttls: {
    value: { '30m': 30 * minute, '12h': 12 * hour },
    ...read,
    note: 'at least 30 minutes; the emulator keeps exactly that',
  },
  defaultTtl: { value: '30m', ...read },
  maxWrites: { value: 4, ...read },
  lookupFirst: { value: 2, ...read },
  lookupLatest: { value: 50, ...read, certainty: 'unverified', note: 'the guide says 50, the API reference 80' },
  lookupEndings: { value: 20, ...read },
  routingTokens: { value: 256, ...own },
  overflowRpm: {
    value: 15,
    ...read,
    note: '"about 15"; older advice, applied to both generations: option overflowRpm',
  },
  overflowWindowMs: { value: minute, ...read },
}

export const chatFields: Rule<readonly string[]> = {
  value: (
    'messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens ' +
    'metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options ' +
    'prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream ' +
    'stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options'
  ).split(' '),
  ...sdk,
}

/** `client_metadata` is in no type of the SDK: Codex sends it with every request. */
export const responsesFields: Rule<readonly string[]> = {
  value: (
    'background client_metadata context_management conversation include input instructions max_output_tokens ' +
    'max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning ' +
    'safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user'
  ).split(' '),
  ...sdk,
}

export const messageFields: Rule<readonly string[]> = {
  value: ['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'refusal', 'audio', 'function_call', 'annotations'],
  ...sdk,
}

/** The members of content parts; kinds not listed are not looked into. */
export const partFields: Rule<Readonly<Record<string, readonly string[]>>> = {
  value: {
    text: ['type', 'text', 'prompt_cache_breakpoint'],
    image_url: ['type', 'image_url', 'prompt_cache_breakpoint'],
    input_audio: ['type', 'input_audio', 'prompt_cache_breakpoint'],
    file: ['type', 'file', 'prompt_cache_breakpoint'],
    refusal: ['type', 'refusal'],
    input_text: ['type', 'text', 'prompt_cache_breakpoint'],
    input_image: ['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'],
    output_text: ['type', 'text', 'annotations', 'logprobs'],
  },
  ...sdk,
}

export const cacheOptionFields: Rule<{ readonly chat: readonly string[]; readonly responses: readonly string[] }> = {
  value: { chat: ['mode', 'ttl'], responses: ['mode', 'ttl', 'prewarm', 'comparison_response_id'] },
  ...read,
}

export const imageTypes: Rule<readonly string[]> = {
  value: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'],
  source: 'https://developers.openai.com/api/docs/guides/images-vision',
  asOf: '2026-11-25',
  certainty: 'unverified',
}

/** The emulator counts attachments alike, whatever their size. */
export const attachmentTokens: Rule<{ readonly low: number; readonly other: number; readonly file: number }> = {
  value: { low: 85, other: 765, file: 1_000 },
  ...own,
}

/** Limits told in headers; the emulator never enforces them. */
export const rateLimits: Rule<{ readonly requests: number; readonly tokens: number }> = {
  value: { requests: 10_000, tokens: 30_000_000 },
  ...own,
}

export const embeddingModels: Rule<Readonly<Record<string, number>>> = {
  value: { 'text-embedding-3-small': 1_536, 'text-embedding-3-large': 3_072, 'text-embedding-ada-002': 1_536 },
  source: 'https://developers.openai.com/api/docs/guides/embeddings',
  asOf: '2026-11-25',
  certainty: 'secondary',
}
