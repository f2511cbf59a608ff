import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import { unreportedUsage } from '../../domain/usage.ts'
import { isRecord, readCount } from '../shared/token-counts.ts'

/** The provider's usage object of an answer, of `message_start` or of `message_delta`. */
export function rawUsage(answer: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(answer)) return undefined
  const usage = answer['usage'] ?? (isRecord(answer['message']) ? answer['message']['usage'] : undefined)
  return isRecord(usage) ? usage : undefined
}

/**
 * Disjoint buckets: here they are so on the wire already. Writes are split by life where `cache_creation` says how;
 * what the aggregate has beyond that counts as written for 5 minutes. No prompt is of no tokens: counts that add up
 * to none were not reported, but filled in by an upstream that has none.
 */
export function usage(raw: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  const input = inputOf(raw)
  const isReported = Object.values(input).some((value) => value !== undefined && value > 0)
  const output = readCount(raw['output_tokens'])
  if (!isReported && (output ?? 0) === 0) return undefined
  const details = isRecord(raw['output_tokens_details']) ? raw['output_tokens_details'] : {}
  return {
    buckets: { ...unreportedUsage, ...(isReported ? input : {}), output },
    reasoningTokens: readCount(details['thinking_tokens']),
  }
}

/**
 * All usage objects of a stream as one: the larger of two counts wins, since they are cumulative and repeated, and
 * `null` takes nothing back (D-43).
 *
 * @example mergeUsage({ input_tokens: 7 }, { input_tokens: null, output_tokens: 3 })
 */
export function mergeUsage(
  earlier: Readonly<Record<string, unknown>>,
  later: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...earlier }
  for (const [name, value] of Object.entries(later)) {
    // Such a name would set what the object inherits from.
    if (name === '__proto__') continue
    const before = merged[name]
    if (value === null || value === undefined) merged[name] = before ?? value
    else if (typeof value === 'number' && typeof before === 'number') merged[name] = Math.max(before, value)
    else merged[name] = isRecord(value) && isRecord(before) ? mergeUsage(before, value) : value
  }
  return merged
}

/**
 * There is no total on the wire: it is the sum of the three counts, of which the last is the aggregate of what was
 * written. The split by life may differ from that.
 */
export function inputTotal(raw: Readonly<Record<string, unknown>>): TokenCount | undefined {
  const counts = [raw['input_tokens'], raw['cache_read_input_tokens'], raw['cache_creation_input_tokens']].map(
    readCount,
  )
  const [fresh, , written] = counts
  if (fresh === undefined || (written === undefined && isRecord(raw['cache_creation']))) return undefined
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0) as TokenCount
}

function inputOf(raw: Readonly<Record<string, unknown>>): {
  fresh: TokenCount | undefined
  read: TokenCount | undefined
  write5m: TokenCount | undefined
  write1h: TokenCount | undefined
} {
  const split = isRecord(raw['cache_creation']) ? raw['cache_creation'] : {}
  const write1h = readCount(split['ephemeral_1h_input_tokens'])
  const split5m = readCount(split['ephemeral_5m_input_tokens'])
  const written = readCount(raw['cache_creation_input_tokens'])
  const rest = written === undefined ? undefined : (Math.max(0, written - (write1h ?? 0)) as TokenCount)
  return {
    fresh: readCount(raw['input_tokens']),
    read: readCount(raw['cache_read_input_tokens']),
    write5m: split5m === undefined || rest === undefined ? (split5m ?? rest) : larger(split5m, rest),
    write1h,
  }
}

function larger(a: TokenCount, b: TokenCount): TokenCount {
  return a > b ? a : b
}
