import type {
  Arrivals,
  EpochMs,
  Price,
  PriceBook,
  PriceRow,
  ProviderName,
  SavingsInput,
  SavingsPlan,
} from '@incipit/core'
import { epochMs, findRule, IncipitError, planSavings, PriceList, savedBy } from '@incipit/core'
import { given } from './given.ts'
import type { PlanPrices, PlanRequest } from './plan-request.ts'

/** A plan, and what it was made from. */
export interface MadePlan {
  readonly input: SavingsInput
  readonly at: EpochMs
  readonly plan: SavingsPlan
}

/**
 * Answers a request of the calculator with the prices of a book, or with its own.
 * @throws IncipitError `invalid_request` when there is no such price, naming the field
 * @example buildPlan({ provider: 'openai', model: 'gpt-4o', cacheable_tokens: 10_000, requests: 100 }, { prices, now })
 */
export function buildPlan(request: PlanRequest, { prices, now }: { prices: PriceBook; now: EpochMs }): MadePlan {
  const at = request.at === undefined ? now : instantOf(request.at)
  const rule = ruleOf(request, at)
  const price = withFreeWrites(priceOf(request, at, prices), rule)
  const { ttl } = request
  const input: SavingsInput = {
    price: ttl === undefined ? price : onlyWrite(price, ttl),
    minTokens: request.min_tokens ?? rule?.minTokens,
    cacheableTokens: request.cacheable_tokens,
    requests: request.requests,
    arrivals: arrivalsOf(request),
    varyingTokens: request.varying_tokens ?? 0,
    outputTokens: request.output_tokens ?? 0,
    // Passages chosen for each question differ with each question, unless it is known better.
    changedShare: request.changed_share ?? (request.pattern === 'retrieval' ? 1 : 0),
    pattern: request.pattern ?? 'template',
    automaticSeconds: automaticSeconds(rule),
  }
  return { input, at, plan: planSavings(input) }
}

/**
 * What a plan saves of the whole cost, with what caching does not change; `undefined` where that is not known.
 * @example savedShare(plan) // 0.8885
 */
export function savedShare(plan: SavingsPlan): number | undefined {
  if (plan.verdict === 'unknown' || plan.rest === undefined) return undefined
  const whole = plan.uncached + plan.rest
  return whole === 0n ? 0 : Number((savedBy(plan.best) * 1_000_000n) / whole) / 1e6
}

/** @throws IncipitError `invalid_request` when the text is no day and no instant */
export function instantOf(text: string): EpochMs {
  const instant = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(instant)) {
    throw new IncipitError('invalid_request', 'at must be a day as YYYY-MM-DD, or an instant as 2026-11-25T12:00:00Z', {
      param: 'at',
    })
  }
  return epochMs(instant)
}

function priceOf(request: PlanRequest, at: EpochMs, prices: PriceBook): Price {
  if (request.prices !== undefined) return ownPrice(request.prices, at)
  const { provider, upstream, model = '', service_tier: serviceTier } = request
  const promptTokens = request.cacheable_tokens + (request.varying_tokens ?? 0)
  const price = prices.find({ provider, upstream, model, at, promptTokens, serviceTier })
  if (price !== undefined) return price
  const tier = serviceTier === undefined ? '' : ` with the service tier ${serviceTier}`
  const where = provider ?? upstream ?? ''
  throw new IncipitError(
    'invalid_request',
    `what "${model.slice(0, 100)}" costs at ${where.slice(0, 100)}${tier} is not known: give prices, or add it to prices.file`,
    { param: '/model' },
  )
}

function ownPrice({ input, read, write, output, storage }: PlanPrices, at: EpochMs): Price {
  const texts = {
    input: String(input),
    read: String(read),
    output: output === undefined ? undefined : String(output),
    storage: storage === undefined ? undefined : String(storage),
    write:
      write === undefined || write === 'plain'
        ? ('plain' as const)
        : given({
            '5m': text(write['5m']),
            '30m': text(write['30m']),
            '1h': text(write['1h']),
            '12h': text(write['12h']),
          }),
  }
  const row: PriceRow = {
    ...given(texts),
    provider: 'request',
    model: 'prices',
    source: 'the request',
    asOf: new Date(at).toISOString().slice(0, 10),
    certainty: 'V',
  }
  const price = new PriceList('given', [row]).find({ provider: 'request', model: 'prices', at, promptTokens: 0 })
  if (price === undefined) throw new Error('a row without conditions always holds')
  return price
}

function text(rate: number | string | undefined): string | undefined {
  return rate === undefined ? undefined : String(rate)
}

type Rule = ReturnType<typeof findRule>

function ruleOf({ provider, model, prices }: PlanRequest, at: EpochMs): Rule {
  if (provider === undefined || model === undefined || prices !== undefined) return undefined
  // A name that is none of theirs finds no rule.
  return findRule(provider as ProviderName, model, at)
}

/** A list that has no price for writing is complete where the rules say that writing is free. */
function withFreeWrites(price: Price, rule: Rule): Price {
  const { input, write5m, write30m, write1h, write12h } = price
  const isListed = [write5m, write30m, write1h, write12h].some((write) => write !== undefined)
  if (isListed || rule === undefined || Object.keys(rule.writeMultiplier).length > 0) return price
  return { ...price, write5m: input, write30m: input, write1h: input, write12h: input }
}

function onlyWrite(price: Price, ttl: NonNullable<PlanRequest['ttl']>): Price {
  const none = { write5m: undefined, write30m: undefined, write1h: undefined, write12h: undefined }
  return { ...price, ...none, storagePerTokenHour: undefined, [`write${ttl}`]: price[`write${ttl}`] }
}

function arrivalsOf({ gap_seconds: gapSeconds, requests_per_hour: perHour }: PlanRequest): Arrivals {
  if (gapSeconds !== undefined) return { kind: 'even', gapSeconds }
  return perHour === undefined ? { kind: 'within-life' } : { kind: 'random', perHour }
}

/** Only where writing has no price is the life the provider's own choice. */
function automaticSeconds(rule: Rule): number | undefined {
  if (rule === undefined || rule.ttls.length === 0 || Object.keys(rule.writeMultiplier).length > 0) return undefined
  return Math.min(...rule.ttls.map(({ atLeast }) => atLeast)) / 1000
}
