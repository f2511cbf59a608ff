import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import type { Usage } from '../../domain/usage.ts'
import { inputTokens, unreportedUsage } from '../../domain/usage.ts'
import { isRecord, readCount } from '../shared/token-counts.ts'
import type { WireUsage } from './wire.ts'

/** The usage object of a whole response, or of the stream event that ends one. */
export function rawUsage(answer: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(answer)) return undefined
  const usage = isRecord(answer['response']) ? answer['response']['usage'] : answer['usage']
  return isRecord(usage) ? usage : undefined
}

/**
 * Disjoint buckets of a usage object. Tokens read and written are inside `input_tokens`, except where more
 * were read than there are: then the server counts them apart, and the two are added.
 */
export function usage(raw: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  const total = readCount(raw['input_tokens'])
  const output = readCount(raw['output_tokens'])
  if (total === undefined && output === undefined) return undefined
  const reasoningTokens = readCount(detailsOf(raw, 'output_tokens_details')['reasoning_tokens'])
  const input = total === undefined ? {} : inputBuckets(total, detailsOf(raw, 'input_tokens_details'))
  return { buckets: { ...unreportedUsage, ...input, output }, reasoningTokens }
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

function inputBuckets(total: TokenCount, details: Readonly<Record<string, unknown>>): Partial<Usage> {
  const read = readCount(details['cached_tokens'])
  const written = readCount(details['cache_write_tokens'])
  if (read !== undefined && read > total) {
    const write30m = written === undefined ? undefined : atMost(written, total)
    return { fresh: minus(total, write30m), read, write30m }
  }
  const rest = minus(total, read)
  const write30m = written === undefined ? undefined : atMost(written, rest)
  return { fresh: minus(rest, write30m), read, write30m }
}

function writtenTokens(buckets: Usage): number | undefined {
  const reported = [buckets.write5m, buckets.write30m, buckets.write1h, buckets.write12h]
  if (reported.every((count) => count === undefined)) return undefined
  return reported.reduce<number>((total, count) => total + (count ?? 0), 0)
}

function detailsOf(raw: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const details = raw[name]
  return isRecord(details) ? details : {}
}

function minus(total: TokenCount, part: TokenCount | undefined): TokenCount {
  return (total - (part ?? 0)) as TokenCount
}

function atMost(count: TokenCount, limit: TokenCount): TokenCount {
  return Math.min(count, limit) as TokenCount
}
