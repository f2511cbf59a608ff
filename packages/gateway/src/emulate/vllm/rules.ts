import type { Rule } from '../rule.ts'

const design = 'https://docs.vllm.ai/en/latest/design/prefix_caching/'
const read = { source: design, asOf: '2026-11-20', certainty: 'verified' } as const
const own = { source: 'docs/emulators.md', asOf: '2026-11-25', certainty: 'unverified' } as const

interface VllmRules {
  readonly blockTokens: Rule<number>
  readonly saltField: Rule<string>
  /** Requests with this field do not read the cache. */
  readonly bypassField: Rule<string>
  readonly metrics: Rule<
    readonly (
      | 'prefix_cache_queries'
      | 'prefix_cache_hits'
      | 'prompt_tokens'
      | 'prompt_tokens_cached'
      | 'generation_tokens'
    )[]
  >
  readonly attachmentTokens: Rule<number>
}

/** The cache rules of vLLM, each with where it was read. */
export const rules: VllmRules = {
  blockTokens: { value: 16, ...read },
  saltField: { value: 'cache_salt', ...read },
  bypassField: { value: 'prompt_logprobs', ...read },
  metrics: {
    value: ['prefix_cache_queries', 'prefix_cache_hits', 'prompt_tokens', 'prompt_tokens_cached', 'generation_tokens'],
    ...read,
  },
  attachmentTokens: { value: 1_000, ...own },
}
