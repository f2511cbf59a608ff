import type { Arrivals, KeepAlive, PicoUsd, PlanOption, SavingsPlan } from '@incipit/core'
import { claimedEstimate, impliedOverhead, layeredEstimate, usd } from '@incipit/core'
import type { MadePlan } from './build-plan.ts'
import { savedShare } from './build-plan.ts'
import type { PlanLayers, PlanRequest } from './plan-request.ts'
import { foundPriceJson } from './price-json.ts'

/** @example planJson(request, buildPlan(request, { prices, now })) */
export function planJson(request: PlanRequest, made: MadePlan): Record<string, unknown> {
  const { input, at, plan } = made
  return {
    object: 'price_plan',
    provider: request.provider ?? null,
    upstream: request.upstream ?? null,
    model: request.model ?? null,
    at: new Date(at).toISOString(),
    price: foundPriceJson(input.price),
    inputs: {
      cacheable_tokens: input.cacheableTokens,
      requests: input.requests,
      arrivals: arrivalsJson(input.arrivals),
      varying_tokens: input.varyingTokens,
      output_tokens: input.outputTokens,
      changed_share: input.changedShare,
      pattern: input.pattern,
      min_tokens: input.minTokens ?? null,
    },
    ...verdictJson(plan),
    layers: request.layers === undefined ? null : layersJson(request.layers, plan),
  }
}

function verdictJson(plan: SavingsPlan): Record<string, unknown> {
  if (plan.verdict === 'unknown')
    return { verdict: plan.verdict, missing_prices: plan.missing, reasons: [], options: [] }
  const { verdict, reasons, uncached, rest, best, keepAlive, options, unpriced } = plan
  const kept = keepAlive ? (best.keepAlive ?? best) : best
  return {
    verdict,
    reasons,
    uncached_usd: usd(uncached),
    rest_usd: money(rest),
    best: {
      ttl: best.life,
      keep_alive: keepAlive,
      at_best: best.atBest,
      cost_usd: usd(kept.cost),
      saved_usd: usd(kept.saved),
      saved_ratio: ratio(kept.saved, uncached),
      saved_ratio_of_whole: savedShare(plan) ?? null,
    },
    options: options.map((option) => optionJson(option, uncached)),
    ttls_without_price: unpriced,
  }
}

function optionJson(option: PlanOption, uncached: PicoUsd): Record<string, unknown> {
  return {
    ttl: option.life,
    seconds: option.seconds ?? null,
    at_best: option.atBest,
    writes: option.writes,
    reads: option.reads,
    storage_hours: option.storageHours,
    storage_usd: usd(option.storageCost),
    cost_usd: usd(option.cost),
    saved_usd: usd(option.saved),
    saved_ratio: ratio(option.saved, uncached),
    break_even_reads: option.breakEvenReads ?? null,
    break_even_reads_per_hour: option.breakEvenReadsPerHour ?? null,
    keep_alive: option.keepAlive === undefined ? null : keepAliveJson(option.keepAlive, uncached),
    reasons: option.reasons,
  }
}

function keepAliveJson({ everySeconds, pings, pingCost, cost, saved }: KeepAlive, uncached: PicoUsd): unknown {
  return {
    every_seconds: everySeconds,
    pings,
    pings_usd: usd(pingCost),
    cost_usd: usd(cost),
    saved_usd: usd(saved),
    saved_ratio: ratio(saved, uncached),
  }
}

/** The estimate with every number that goes into it, beside the claim it is measured against. */
function layersJson(layers: PlanLayers, plan: SavingsPlan): Record<string, unknown> | null {
  const missSaving = layers.provider_saving ?? savedShare(plan)
  if (missSaving === undefined) return null
  const { overhead = 0, org_shared_hit_rate: sharedHitRate } = layers
  const { providerShare, effectiveShare } = layeredEstimate({ sharedHitRate, missSaving, overhead })
  const { low, high } = impliedOverhead()
  return {
    formula: '(1 - org_shared_hit_rate) x (1 - provider_saving) + overhead',
    org_shared_hit_rate: sharedHitRate,
    provider_saving: missSaving,
    provider_saving_from: layers.provider_saving === undefined ? 'this plan' : 'the request',
    overhead,
    provider_share: providerShare,
    effective_share: effectiveShare,
    claim: {
      org_shared_hit_rate: claimedEstimate.sharedHitRate,
      provider_saving: claimedEstimate.missSaving,
      effective_share: claimedEstimate.effectiveShare,
      implied_overhead: { low, high },
      note: 'the claimed share is reached only with this overhead, which it does not name: look-ups, embeddings, storage and answers asked again',
    },
  }
}

function arrivalsJson(arrivals: Arrivals): Record<string, unknown> {
  switch (arrivals.kind) {
    case 'within-life':
      return { kind: 'within_life' }
    case 'even':
      return { kind: 'even', gap_seconds: arrivals.gapSeconds }
    case 'random':
      return { kind: 'random', requests_per_hour: arrivals.perHour }
    default:
      return arrivals satisfies never
  }
}

function money(amount: PicoUsd | undefined): number | null {
  return amount === undefined ? null : usd(amount)
}

/** To a millionth; null while there is nothing to divide by. */
function ratio(part: PicoUsd, whole: PicoUsd): number | null {
  return whole === 0n ? null : Number((part * 1_000_000n) / whole) / 1e6
}
