import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { filterFrom } from './events.ts'

/**
 * `GET /v1/summary`: totals of what the caller may see, with the filters of `/v1/events`. Ratios name
 * their denominator; they are null while it is 0.
 */
export async function summarise(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const totals = await house.ledger.totals(filterFrom(exchange.url.searchParams, caller, house))
  const measured = totals.requests - totals.unreportedRequests
  sendJson(
    exchange.response,
    200,
    JSON.stringify({
      requests: totals.requests,
      warm_requests: totals.warmRequests,
      failed_requests: totals.failedRequests,
      unreported_requests: totals.unreportedRequests,
      input_tokens: totals.inputTokens,
      cached_input_tokens: totals.cachedInputTokens,
      output_tokens: totals.outputTokens,
      hit_ratio_per_token: ratio(totals.cachedInputTokens, totals.inputTokens),
      hit_ratio_per_request: ratio(totals.warmRequests, measured),
    }),
  )
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}
