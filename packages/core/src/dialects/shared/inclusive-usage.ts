import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import { unreportedUsage } from '../../domain/usage.ts'

/** Counts of an answer as OpenAI and those that followed it report them: what is cached is inside the input. */
export interface InclusiveCounts {
  readonly input: TokenCount | undefined
  readonly output: TokenCount | undefined
  /** Of input and output together. */
  readonly total: TokenCount | undefined
  readonly read: TokenCount | undefined
  /** Of the input, what was neither read nor written; DeepSeek names it. */
  readonly missed: TokenCount | undefined
  readonly write30m: TokenCount | undefined
  readonly write5m: TokenCount | undefined
  readonly reasoning: TokenCount | undefined
}

/**
 * Disjoint buckets of inclusive counts. No count that a provider reports is altered: where its parts are more than
 * its total they stand as they are, and sum to more. Two providers count otherwise than they say: tokens read stand
 * beside the input where they are more than that, or where the total of all tells
 * (https://docs.x.ai/developers/advanced-api-usage/prompt-caching, 2026-08), and so does reasoning beside the output.
 *
 * @example bucketsOf({ input, output, total, read, ... })?.buckets.fresh
 */
export function bucketsOf(counts: InclusiveCounts): AnswerUsage | undefined {
  const { read, missed, write30m, write5m, reasoning: reasoningTokens } = counts
  const output = wholeOutput(counts)
  const input = wholeInput(counts)
  if (input === undefined && output === undefined && read === undefined) return undefined
  const named = { ...unreportedUsage, read, write30m, write5m, output }
  if (input === undefined) return { buckets: { ...named, fresh: missed }, reasoningTokens }
  const rest = input - (read ?? 0) - (write30m ?? 0) - (write5m ?? 0)
  const fresh = missed ?? (Math.max(0, rest) as TokenCount) // a difference of counts
  return { buckets: { ...named, fresh }, reasoningTokens }
}

/**
 * The provider's own total of the input. Where tokens read stand beside what it calls input, its total of all
 * tokens says whether it counts them.
 */
export function ownInputTotal(counts: InclusiveCounts): TokenCount | undefined {
  const { input, read } = counts
  return isReadBeside(counts) && isInTotal(counts) ? sum(input, read) : input
}

function wholeInput(counts: InclusiveCounts): TokenCount | undefined {
  const { input, read, missed } = counts
  if (input === undefined) return missed === undefined ? undefined : sum(missed, read)
  return isReadBeside(counts) ? sum(input, read) : input
}

function isReadBeside(counts: InclusiveCounts): boolean {
  const { input, read = 0 } = counts
  return input !== undefined && read > 0 && (read > input || isInTotal(counts))
}

/** All tokens are more than input and output, by those that were read; reasoning beside the output explains it, too. */
function isInTotal(counts: InclusiveCounts): boolean {
  const { read = 0, reasoning = 0 } = counts
  const more = beyond(counts)
  return read > 0 && ((more === read && more !== reasoning) || (reasoning > 0 && more === read + reasoning))
}

function wholeOutput(counts: InclusiveCounts): TokenCount | undefined {
  const { output, reasoning = 0 } = counts
  const more = beyond(counts)
  const isBeside = reasoning > 0 && (more === reasoning || (isInTotal(counts) && more !== counts.read))
  return isBeside ? sum(output, counts.reasoning) : output
}

/** What the total of all tokens has beyond input and output. */
function beyond({ input, output, total }: InclusiveCounts): number | undefined {
  return input === undefined || output === undefined || total === undefined ? undefined : total - input - output
}

function sum(a: TokenCount | undefined, b: TokenCount | undefined): TokenCount {
  return ((a ?? 0) + (b ?? 0)) as TokenCount
}
