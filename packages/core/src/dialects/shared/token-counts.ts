import type { PromptReport } from '../../domain/generation.ts'
import type { TokenCount } from '../../domain/units.ts'
import type { Usage } from '../../domain/usage.ts'
import { unreportedUsage } from '../../domain/usage.ts'

/** The usage object that OpenAI Chat and all that followed it send. */
export interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

/** `cached_tokens` is always there, 0 when cold: a cold request is reported, not left open (CF-8). */
export function chatUsage(prompt: PromptReport, outputTokens: TokenCount): ChatUsage {
  return {
    prompt_tokens: prompt.promptTokens,
    completion_tokens: outputTokens,
    total_tokens: prompt.promptTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: prompt.cachedTokens },
  }
}

/**
 * Disjoint buckets of an OpenAI-shaped usage object: cached and written tokens are inside
 * `prompt_tokens`. An upstream that reports more of them than it has prompt tokens is cut to its own
 * total, so that the input part always sums to that.
 */
export function readChatUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined
  const total = readCount(usage['prompt_tokens'])
  const output = readCount(usage['completion_tokens'])
  if (total === undefined) return output === undefined ? undefined : { ...unreportedUsage, output }
  const details = isRecord(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {}
  const read = atMost(readCount(details['cached_tokens']), total)
  const write30m = atMost(readCount(details['cache_write_tokens']), total - (read ?? 0))
  const fresh = (total - (read ?? 0) - (write30m ?? 0)) as TokenCount
  return { ...unreportedUsage, fresh, read, write30m, output }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is no count is not reported. */
function readCount(value: unknown): TokenCount | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as TokenCount) : undefined
}

function atMost(count: TokenCount | undefined, limit: number): TokenCount | undefined {
  return count === undefined ? undefined : (Math.min(count, limit) as TokenCount)
}
