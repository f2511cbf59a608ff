import type { ControlTotals, Reuse, SummaryTotals, TtftTotals } from '../ledger/port.ts'
import { promptSizes } from '../ledger/summary/prompt-size.ts'
import type { JsonView } from './json-view.ts'
import { ratio } from './json-view.ts'
import { reuseTargets } from './reuse-targets.ts'
import { known, moneyView } from './summary-money.ts'

/**
 * Totals as JSON. Every ratio and rate names what it is a part of; it is `null` while that is 0.
 * @param windowMs how long what was added up took
 */
export function totalsView(totals: SummaryTotals, windowMs: number): JsonView {
  const { requests, inputTokens, cachedInputTokens } = totals
  return {
    requests,
    warm_requests: totals.warmRequests,
    partial_requests: totals.partialRequests,
    failed_requests: totals.failedRequests,
    unreported_requests: totals.unreportedRequests,
    attempts: totals.attempts,
    input_tokens: inputTokens,
    cached_input_tokens: cachedInputTokens,
    output_tokens: totals.outputTokens,
    fresh_tokens: totals.fresh,
    read_tokens: totals.read,
    write_5m_tokens: totals.write5m,
    write_30m_tokens: totals.write30m,
    write_1h_tokens: totals.write1h,
    write_12h_tokens: totals.write12h,
    hit_ratio_per_token: ratio(cachedInputTokens, inputTokens),
    hit_ratio_per_request: ratio(totals.warmRequests, requests - totals.unreportedRequests),
    ...moneyView(totals),
    ttft: ttftView(totals.ttft),
    throughput: throughputView(totals, windowMs),
    headroom: { requests: totals.leastHeadroom.requests ?? null, tokens: totals.leastHeadroom.tokens ?? null },
    reuse: {
      first: reuseView(totals, 'first'),
      same_session: reuseView(totals, 'same_session'),
      across_sessions: reuseView(totals, 'across_sessions'),
    },
    control: { control: controlView(totals.control.control), treated: controlView(totals.control.treated) },
  }
}

function ttftView(ttft: readonly TtftTotals[]): JsonView {
  const bands = promptSizes.map(({ band, from }, index) => ({
    from,
    to: promptSizes[index + 1]?.from ?? null,
    ...temperatures(ttft, band),
  }))
  return { ...temperatures(ttft, 'all'), by_prompt_size: bands }
}

function temperatures(ttft: readonly TtftTotals[], size: TtftTotals['size']): JsonView {
  const of = (temperature: TtftTotals['temperature']): JsonView => {
    const found = ttft.find((one) => one.size === size && one.temperature === temperature)
    const { count = 0, p50 = null, p90 = null, p99 = null } = found ?? {}
    return { count, p50_ms: p50, p90_ms: p90, p99_ms: p99 }
  }
  return { cold: of('cold'), warm: of('warm') }
}

function throughputView({ requests, inputTokens, outputTokens, busyMs }: SummaryTotals, windowMs: number): JsonView {
  const seconds = windowMs / 1_000
  return {
    requests_per_second: ratio(requests, seconds),
    input_tokens_per_second: ratio(inputTokens, seconds),
    output_tokens_per_second: ratio(outputTokens, seconds),
    seconds,
    busy_seconds: busyMs / 1_000,
  }
}

function reuseView(totals: SummaryTotals, reuse: Reuse): JsonView {
  const { requests, inputTokens, cachedInputTokens } = totals.reuse[reuse]
  const reached = ratio(cachedInputTokens, inputTokens)
  const [low, high] = reuseTargets[reuse].band
  return {
    requests,
    input_tokens: inputTokens,
    cached_input_tokens: cachedInputTokens,
    ratio: reached,
    target: [low, high],
    within: reached === null ? null : reached >= low && reached <= high,
  }
}

function controlView({ requests, inputTokens, cachedInputTokens, cost, counterfactual }: ControlTotals): JsonView {
  // Both are sums over requests with tokens: where neither is more than 0, nothing had a price.
  const unpriced = inputTokens > 0 && counterfactual === 0n ? 1 : 0
  return {
    requests,
    input_tokens: inputTokens,
    cached_input_tokens: cachedInputTokens,
    hit_ratio_per_token: ratio(cachedInputTokens, inputTokens),
    cost_usd: known(cost, unpriced),
    counterfactual_usd: known(counterfactual, unpriced),
  }
}
