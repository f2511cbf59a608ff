import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import type { Usage } from '../../domain/usage.ts'
import { inputTokens } from '../../domain/usage.ts'
import type { InclusiveCounts } from '../shared/inclusive-usage.ts'
import { bucketsOf, ownInputTotal } from '../shared/inclusive-usage.ts'
import { isRecord, readCount, recordOf } from '../shared/token-counts.ts'
import type { WireUsage } from './wire.ts'

/** The usage object of a whole response, or of the stream event that ends one. */
export function rawUsage(answer: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(answer)) return undefined
  const usage = isRecord(answer['response']) ? answer['response']['usage'] : answer['usage']
  return isRecord(usage) ? usage : undefined
}

/** Disjoint buckets of a usage object. Tokens read and written are inside `input_tokens`. */
export function usage(raw: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  return bucketsOf(countsOf(raw))
}

export function inputTotal(raw: Readonly<Record<string, unknown>>): TokenCount | undefined {
  return ownInputTotal(countsOf(raw))
}

/** The usage object of an answer. What nobody counted is left out, and so are totals that would need it. */
export function wireUsage({ buckets, reasoningTokens }: AnswerUsage): WireUsage {
  const input = inputTokens(buckets)
  const written = writtenTokens(buckets)
  const { read, output } = buckets
  return {
    ...(input === undefined ? {} : { input_tokens: input }),
    input_tokens_details: {
      ...(read === undefined ? {} : { cached_tokens: read }),
      ...(written === undefined ? {} : { cache_write_tokens: written }),
    },
    ...(output === undefined ? {} : { output_tokens: output }),
    output_tokens_details: reasoningTokens === undefined ? {} : { reasoning_tokens: reasoningTokens },
    ...(input === undefined || output === undefined ? {} : { total_tokens: input + output }),
  }
}

function countsOf(raw: Readonly<Record<string, unknown>>): InclusiveCounts {
  const details = recordOf(raw['input_tokens_details'])
  return {
    input: readCount(raw['input_tokens']),
    output: readCount(raw['output_tokens']),
    total: readCount(raw['total_tokens']),
    read: readCount(details['cached_tokens']),
    missed: undefined,
    write30m: readCount(details['cache_write_tokens']),
    write5m: undefined,
    reasoning: readCount(recordOf(raw['output_tokens_details'])['reasoning_tokens']),
  }
}

function writtenTokens(buckets: Usage): number | undefined {
  const reported = [buckets.write5m, buckets.write30m, buckets.write1h, buckets.write12h]
  if (reported.every((count) => count === undefined)) return undefined
  return reported.reduce<number>((total, count) => total + (count ?? 0), 0)
}
