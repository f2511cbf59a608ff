import type { PicoUsd, PriceBook } from '@incipit/core'
import { costOf, picoUsd } from '@incipit/core'
import type { LedgerEvent } from '../ledger/port.ts'
import type { RawUsage } from '../relay/usage-scan.ts'

type Costs = Pick<LedgerEvent, 'cost' | 'costRead' | 'costWrite' | 'costOutput' | 'counterfactual' | 'priceId'>
/** What a cost depends on. */
export type Used = Pick<
  LedgerEvent,
  'kind' | 'at' | 'upstream' | 'provider' | 'model' | 'servedModel' | 'serviceTier' | 'usage' | 'inputTokens'
>

export const unknownCost: Costs = {
  cost: undefined,
  costRead: undefined,
  costWrite: undefined,
  costOutput: undefined,
  counterfactual: undefined,
  priceId: undefined,
}

/**
 * What a request cost, and what it would have cost without a cache. Nobody would have sent a pre-warm then: its
 * counterfactual is nothing. Where no price is known, what the provider says it has charged.
 *
 * @example costOfEvent(event, passage.rawUsage, house.prices).cost
 */
export function costOfEvent(event: Used, raw: RawUsage | undefined, prices: PriceBook): Costs {
  const { provider, upstream, at, inputTokens: promptTokens, serviceTier } = event
  const model = event.servedModel ?? event.model
  const price = prices.find({ provider, upstream, model, at, promptTokens, serviceTier })
  const cost = price && costOf(event.usage, price)
  if (price === undefined || cost === undefined) return chargedCost(event, raw)
  return {
    cost: cost.total,
    costRead: cost.read,
    costWrite: cost.write,
    costOutput: cost.output,
    counterfactual: event.kind === 'prewarm' ? nothing : cost.counterfactual,
    priceId: price.id,
  }
}

const nothing = picoUsd(0n)
const mostDollars = 9_000

/** OpenRouter says what it charged; with a key of the caller's own, the provider behind it charges beside that. */
function chargedCost({ provider, kind }: Used, raw: RawUsage | undefined): Costs {
  if (provider !== 'openrouter' || raw === undefined) return unknownCost
  const charged = dollars(raw['cost'])
  const details = raw['cost_details']
  const beside =
    raw['is_byok'] === true && typeof details === 'object' && details !== null && 'upstream_inference_cost' in details
      ? dollars(details.upstream_inference_cost)
      : nothing
  if (charged === undefined || beside === undefined) return unknownCost
  const cost = picoUsd(charged + beside)
  return { ...unknownCost, cost, counterfactual: kind === 'prewarm' ? nothing : undefined, priceId: 'reported' }
}

function dollars(value: unknown): PicoUsd | undefined {
  if (typeof value !== 'number' || !(value >= 0 && value <= mostDollars)) return undefined
  return picoUsd(BigInt(Math.round(value * 1e12)))
}
