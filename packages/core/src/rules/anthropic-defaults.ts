import type { Fact } from './fact.ts'

/**
 * `max_tokens` of a Messages body whose client named no limit: the API requires one. 8192 is the largest value
 * that the official client sends without streaming to every model it has such limits for.
 */
export const defaultMessagesMaxTokens: Fact<number> = {
  value: 8192,
  source: 'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/internal/constants.ts',
  asOf: '2026-08-19',
  certainty: 'S',
}

/** Cache marks that a Messages body may hold, over tools, system and messages, the automatic one included. */
export const mostCacheMarks: Fact<number> = {
  value: 4,
  source: 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching',
  asOf: '2026-11-20',
  certainty: 'V',
}
