import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import { inputTokens, unreportedUsage } from '../../domain/usage.ts'

/** The usage object that OpenAI Chat and all that followed it send. What is not known is left out. */
export interface ChatUsage {
  readonly prompt_tokens?: number
  readonly completion_tokens?: number
  readonly total_tokens?: number
  readonly prompt_tokens_details?: { readonly cached_tokens?: number; readonly cache_write_tokens?: number }
  readonly completion_tokens_details?: { readonly reasoning_tokens: number }
}

/**
 * Buckets as a chat client reads them: cached and written tokens inside `prompt_tokens`. A reported 0 is
 * written, so that a cold request is not left open (CF-8).
 *
 * @example chatUsage(answer.usage)
 */
export function chatUsage({ buckets, reasoningTokens }: AnswerUsage): ChatUsage {
  const { read, output } = buckets
  const input = inputTokens(buckets)
  const writes = [buckets.write5m, buckets.write30m, buckets.write1h, buckets.write12h]
  const written = writes.every((count) => count === undefined)
    ? undefined
    : writes.reduce<number>((sum, count) => sum + (count ?? 0), 0)
  const details = {
    ...(read === undefined ? {} : { cached_tokens: read }),
    ...(written === undefined ? {} : { cache_write_tokens: written }),
  }
  return {
    ...(input === undefined ? {} : { prompt_tokens: input }),
    ...(output === undefined ? {} : { completion_tokens: output }),
    ...(input === undefined || output === undefined ? {} : { total_tokens: input + output }),
    ...(read === undefined && written === undefined ? {} : { prompt_tokens_details: details }),
    ...(reasoningTokens === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  }
}

/**
 * Disjoint buckets of an OpenAI-shaped usage object, in the spellings of those that speak it. Cached and
 * written tokens are inside `prompt_tokens`; where more were read than there were prompt tokens, the provider
 * counts them beside those, as xAI has done. https://docs.x.ai/developers/advanced-api-usage/prompt-caching, 2026-08
 *
 * @example readChatUsage(answer.usage)?.buckets.read
 */
export function readChatUsage(usage: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  const details = recordOf(usage['prompt_tokens_details'])
  const cached = cachedTokens(usage, details)
  const reasoningTokens = readCount(recordOf(usage['completion_tokens_details'])['reasoning_tokens'])
  const total = promptTokens(usage, cached)
  const output = outputTokens(usage, reasoningTokens)
  if (total === undefined) {
    if (output === undefined && cached === undefined) return undefined
    return { buckets: { ...unreportedUsage, read: cached, output }, reasoningTokens }
  }
  // What is read and written never exceeds the total, so that the input part always sums to that.
  const read = cached
  const write30m = atMost(readCount(details['cache_write_tokens']), total - (read ?? 0))
  const created = readCount(details['cache_creation_input_tokens'])
  const write5m = atMost(created, total - (read ?? 0) - (write30m ?? 0))
  const fresh = (total - (read ?? 0) - (write30m ?? 0) - (write5m ?? 0)) as TokenCount
  return { buckets: { ...unreportedUsage, fresh, read, write5m, write30m, output }, reasoningTokens }
}

/** The larger of the counts of cached tokens; some providers repeat one under a second name. */
function cachedTokens(
  usage: Readonly<Record<string, unknown>>,
  details: Readonly<Record<string, unknown>>,
): TokenCount | undefined {
  const counts = [
    details['cached_tokens'],
    usage['prompt_cache_hit_tokens'], // DeepSeek
    usage['cached_tokens'], // Moonshot and Together, older answers
    usage['num_cached_tokens'], // Mistral
    recordOf(usage['prompt_token_details'])['cached_tokens'], // Mistral
  ]
  return counts.map(readCount).reduce<TokenCount | undefined>(larger, undefined)
}

function promptTokens(usage: Readonly<Record<string, unknown>>, cached: TokenCount | undefined): number | undefined {
  const missed = readCount(usage['prompt_cache_miss_tokens'])
  const named = readCount(usage['prompt_tokens'])
  const total = named ?? (missed === undefined ? undefined : missed + (cached ?? 0))
  return total !== undefined && cached !== undefined && cached > total ? total + cached : total
}

/** xAI counts reasoning beside the completion; its total tells. */
function outputTokens(
  usage: Readonly<Record<string, unknown>>,
  reasoning: TokenCount | undefined,
): TokenCount | undefined {
  const completion = readCount(usage['completion_tokens'])
  const [prompt, total] = [readCount(usage['prompt_tokens']), readCount(usage['total_tokens'])]
  if (completion === undefined || prompt === undefined || reasoning === undefined) return completion
  return total === prompt + completion + reasoning ? ((completion + reasoning) as TokenCount) : completion
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value where it is an object, else an empty one. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

/** More than any prompt or answer has: sums of what is larger would leave the integers that totals are exact in. */
const mostTokens = 1_000_000_000

/** What is no count, or none that can be true, is not reported. */
export function readCount(value: unknown): TokenCount | undefined {
  const isCount = Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= mostTokens
  return isCount ? (value as TokenCount) : undefined
}

function larger(a: TokenCount | undefined, b: TokenCount | undefined): TokenCount | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}

function atMost(count: TokenCount | undefined, limit: number): TokenCount | undefined {
  return count === undefined ? undefined : (Math.min(count, limit) as TokenCount)
}
