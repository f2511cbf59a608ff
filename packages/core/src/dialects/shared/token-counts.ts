import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import { inputTokens } from '../../domain/usage.ts'
import type { InclusiveCounts } from './inclusive-usage.ts'
import { bucketsOf, ownInputTotal } from './inclusive-usage.ts'

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
 * Disjoint buckets of an OpenAI-shaped usage object, in the spellings of those that speak it.
 * @example readChatUsage(answer.usage)?.buckets.read
 */
export function readChatUsage(usage: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  return bucketsOf(chatCounts(usage))
}

/** The provider's own total of the input. */
export function chatInputTotal(usage: Readonly<Record<string, unknown>>): TokenCount | undefined {
  return ownInputTotal(chatCounts(usage))
}

function chatCounts(usage: Readonly<Record<string, unknown>>): InclusiveCounts {
  const details = recordOf(usage['prompt_tokens_details'])
  return {
    input: readCount(usage['prompt_tokens']),
    output: readCount(usage['completion_tokens']),
    total: readCount(usage['total_tokens']),
    read: cachedTokens(usage, details),
    missed: readCount(usage['prompt_cache_miss_tokens']),
    ...writtenTokens(details),
    reasoning: readCount(recordOf(usage['completion_tokens_details'])['reasoning_tokens']),
  }
}

/** Alibaba's name means 5 minutes; whoever gives one count under both names wrote it once. */
function writtenTokens(details: Readonly<Record<string, unknown>>): Pick<InclusiveCounts, 'write30m' | 'write5m'> {
  const write30m = readCount(details['cache_write_tokens'])
  const created = readCount(details['cache_creation_input_tokens'])
  return { write30m, write5m: created === write30m ? undefined : created }
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
