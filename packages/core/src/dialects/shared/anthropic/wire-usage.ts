import type { AnswerUsage } from '../../../domain/answer.ts'
import { unreportedUsage } from '../../../domain/usage.ts'
import { jsonObject, jsonText } from '../write-json.ts'

/**
 * The usage object of a whole answer. A count that was not reported is `null`; of the two that the API requires as
 * numbers it is 0.
 */
export function messageUsage(usage: AnswerUsage | undefined): string {
  return usageJson(usage, '0')
}

/** The usage object at the end of a stream, cumulative; there `null` leaves what the start said. */
export function deltaUsage(usage: AnswerUsage | undefined): string {
  return usageJson(usage, 'null')
}

function usageJson(usage: AnswerUsage | undefined, unknownInput: string): string {
  const buckets = usage?.buckets ?? unreportedUsage
  const short = sumOf(buckets.write5m, buckets.write30m)
  const long = sumOf(buckets.write1h, buckets.write12h)
  return jsonObject([
    ['input_tokens', jsonText(buckets.fresh) ?? unknownInput],
    ['cache_creation_input_tokens', jsonText(sumOf(short, long)) ?? 'null'],
    ['cache_read_input_tokens', jsonText(buckets.read) ?? 'null'],
    // Without it, all that was written counts as written for the shorter life.
    ['cache_creation', long === undefined ? undefined : creation(short ?? 0, long)],
    ['output_tokens', jsonText(buckets.output) ?? '0'],
    ['output_tokens_details', thinking(usage?.reasoningTokens)],
  ])
}

/** The API knows two lives: each of ours counts to the nearer one. */
function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)
}

function creation(short: number, long: number): string {
  return `{"ephemeral_5m_input_tokens":${short},"ephemeral_1h_input_tokens":${long}}`
}

function thinking(tokens: number | undefined): string | undefined {
  return tokens === undefined ? undefined : `{"thinking_tokens":${tokens}}`
}
