const hourMs = 3_600_000

/** Answers of `GET /v1/summary` with everything in them: a loss in one hour, an hour without traffic, targets missed. */
export function sampleSummary(address: string): Record<string, unknown> {
  const { searchParams } = new URL(address)
  const head = {
    object: 'summary',
    interval: searchParams.get('interval') ?? 'none',
    truncated: false,
    ...totals(9, 1.5),
  }
  if (searchParams.has('interval')) return { ...head, rows: hours() }
  const groupBy = searchParams.get('group_by')?.split(',')
  return groupBy === undefined ? head : { ...head, rows: groups(groupBy) }
}

function hours(): unknown[] {
  const end = Math.floor(Date.now() / hourMs) * hourMs
  const row = (ago: number, scale: number, saved: number): unknown => {
    return { start: new Date(end - ago * hourMs).toISOString(), group: {}, ...totals(scale, saved) }
  }
  return [row(5, 2, 0.5), row(3, 4, -0.25), row(0, 3, 1.25)]
}

function groups(names: readonly string[]): unknown[] {
  const group = (model: string, upstream: string | null): unknown => {
    return Object.fromEntries(names.map((name) => [name, name === 'model' ? model : upstream]))
  }
  const unpriced = { ...totals(1, 0), cost_usd: null, saved_usd: null, hit_ratio_per_token: null }
  return [
    { start: null, group: group('claude-sonnet-4-5', 'claude'), ...totals(8, 1.5) },
    {
      start: null,
      group: group('a/model/with/a/name-so-long-that-it-would-push-everything-else-aside', null),
      ...unpriced,
    },
  ]
}

function totals(scale: number, saved: number): Record<string, unknown> {
  const tokens = { requests: 10 * scale, input_tokens: 1_000 * scale, cached_input_tokens: 300 * scale }
  return {
    ...tokens,
    warm_requests: 6 * scale,
    partial_requests: scale,
    failed_requests: scale,
    unreported_requests: 2 * scale,
    attempts: 0,
    output_tokens: 50 * scale,
    fresh_tokens: 500 * scale,
    write_5m_tokens: 200 * scale,
    write_30m_tokens: 0,
    write_1h_tokens: 0,
    write_12h_tokens: 0,
    hit_ratio_per_token: 0.3,
    hit_ratio_per_request: 0.75,
    cost_usd: 2 * scale,
    cost_parts: {
      fresh: scale,
      read: 0.1 * scale,
      write: 0.5 * scale,
      output: 0.4 * scale,
      storage: 0,
      ping: 0.000123,
      prewarm: null,
    },
    unpriced_requests: scale,
    counterfactual_usd: 2 * scale + saved,
    saved_usd: saved,
    saved_ratio: 0.1,
    ttft: {
      ...temperatures(4),
      by_prompt_size: [
        { from: 0, to: 1_000, ...temperatures(4), warm: { count: 0, p50_ms: null, p90_ms: null, p99_ms: null } },
        { from: 256_000, to: null, ...temperatures(1) },
      ],
    },
    throughput: { requests_per_second: 0.25, input_tokens_per_second: 25, output_tokens_per_second: 1 },
    headroom: { requests: 0.4, tokens: null },
    reuse: {
      first: band(0, [0, 0], true),
      same_session: band(0.75, [0.6, 0.9], true),
      across_sessions: band(0.3, [0.4, 0.7], false),
    },
    control: {
      control: { ...tokens, requests: 4, cost_usd: 1, counterfactual_usd: 1 },
      treated: { ...tokens, cost_usd: 1, counterfactual_usd: 2 },
    },
  }
}

function band(ratio: number, target: readonly number[], within: boolean): unknown {
  return { requests: 10, input_tokens: 1_000, cached_input_tokens: 1_000 * ratio, ratio, target, within }
}

function temperatures(count: number): Record<string, unknown> {
  return {
    cold: { count, p50_ms: 800, p90_ms: 1_900, p99_ms: 4_100 },
    warm: { count, p50_ms: 200, p90_ms: 400, p99_ms: 1_200 },
  }
}
