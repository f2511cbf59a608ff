/** A number that an older gateway may not send (`undefined`), or that is not known (`null`). */
export type Reported = number | null | undefined

/** Quantiles of the time to the first token. */
export interface Quantiles {
  readonly count?: Reported
  readonly p50_ms?: Reported
  readonly p90_ms?: Reported
  readonly p99_ms?: Reported
}

/** Cold and warm apart. */
export interface ByTemperature {
  readonly cold?: Quantiles | null
  readonly warm?: Quantiles | null
}

/** How often one kind of reuse found its prefix, beside what is to be expected. */
export interface ReuseBand {
  readonly requests?: Reported
  readonly input_tokens?: Reported
  readonly cached_input_tokens?: Reported
  readonly ratio?: Reported
  readonly target?: readonly [number, number] | null
  readonly within?: boolean | null
}

/** One side of the control experiment. */
export interface ControlSide {
  readonly requests?: Reported
  readonly input_tokens?: Reported
  readonly cached_input_tokens?: Reported
  readonly cost_usd?: Reported
  readonly counterfactual_usd?: Reported
}

/** What `GET /v1/summary` says about a filter, an interval or a group. */
export interface Totals {
  readonly requests?: Reported
  readonly warm_requests?: Reported
  readonly partial_requests?: Reported
  readonly failed_requests?: Reported
  readonly unreported_requests?: Reported
  readonly attempts?: Reported
  readonly input_tokens?: Reported
  readonly cached_input_tokens?: Reported
  readonly output_tokens?: Reported
  readonly fresh_tokens?: Reported
  readonly write_5m_tokens?: Reported
  readonly write_30m_tokens?: Reported
  readonly write_1h_tokens?: Reported
  readonly write_12h_tokens?: Reported
  readonly hit_ratio_per_token?: Reported
  readonly hit_ratio_per_request?: Reported
  readonly cost_usd?: Reported
  readonly cost_parts?: Readonly<Record<string, Reported>> | null
  readonly unpriced_requests?: Reported
  readonly counterfactual_usd?: Reported
  readonly saved_usd?: Reported
  readonly saved_ratio?: Reported
  readonly ttft?:
    | (ByTemperature & {
        readonly by_prompt_size?: readonly (ByTemperature & { readonly from?: Reported; readonly to?: Reported })[]
      })
    | null
  readonly throughput?: Readonly<Record<string, Reported>> | null
  readonly headroom?: { readonly requests?: Reported; readonly tokens?: Reported } | null
  readonly reuse?: Readonly<Record<string, ReuseBand | undefined>> | null
  readonly control?: { readonly control?: ControlSide | null; readonly treated?: ControlSide | null } | null
}

/** One interval, one group, or one of both. */
export interface SummaryRow extends Totals {
  readonly start?: string | null
  readonly group?: Readonly<Record<string, string | number | boolean | null>>
}

export interface Summary extends Totals {
  readonly since?: string | null
  readonly until?: string | null
  readonly interval?: string | null
  readonly truncated?: boolean
  readonly rows?: readonly SummaryRow[]
}

/** A prefix, as `GET /v1/prefixes` lists it. */
export interface PrefixUse {
  readonly prefix?: string | null
  readonly requests?: Reported
  readonly sessions?: Reported
  readonly input_tokens?: Reported
  readonly cached_input_tokens?: Reported
  readonly first_seen?: string | null
  readonly last_seen?: string | null
  readonly reused?: boolean | null
}

/** Tokens written to a cache, for whatever time; `undefined` while none of the counts is known. */
export function writtenTokens(totals: Totals): number | undefined {
  const counts = [totals.write_5m_tokens, totals.write_30m_tokens, totals.write_1h_tokens, totals.write_12h_tokens]
  const known = counts.filter((count): count is number => typeof count === 'number')
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0)
}
