import type { Fact } from './fact.ts'

/** Generated tokens where an `ai/run` body names no `max_tokens`: the text-generation default since April 2025. */
export const defaultMaxTokens: Fact<number> = {
  value: 256,
  source: 'https://skills.sh/jezweb/claude-skills/cloudflare-workers-ai',
  asOf: '2026-01-21',
  certainty: 'S',
}
