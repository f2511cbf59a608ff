import type { TrafficPattern, WriteTtl } from '@incipit/core'
import { z } from 'zod'

/** The calculator's questions, as `POST /v1/price/plan` takes them. */
export interface PlanRequest {
  readonly provider?: string | undefined
  readonly upstream?: string | undefined
  readonly model?: string | undefined
  /** When the price is looked up: a day or an instant; left out: now. */
  readonly at?: string | undefined
  readonly service_tier?: string | undefined
  /** Prices to use instead of listed ones, in USD per million tokens. */
  readonly prices?: PlanPrices | undefined
  readonly cacheable_tokens: number
  /** Left out where it is said how far they are apart: those of a day. */
  readonly requests: number
  readonly requests_per_hour?: number | undefined
  readonly gap_seconds?: number | undefined
  readonly varying_tokens?: number | undefined
  readonly output_tokens?: number | undefined
  readonly changed_share?: number | undefined
  readonly pattern?: TrafficPattern | undefined
  readonly min_tokens?: number | undefined
  /** Only this life is looked at; left out: all that have a price. */
  readonly ttl?: WriteTtl | undefined
  readonly layers?: PlanLayers | undefined
}

/** A cache of answers in front. */
export interface PlanLayers {
  readonly org_shared_hit_rate: number
  /** Left out: what the plan itself comes to. */
  readonly provider_saving?: number | undefined
  readonly overhead?: number | undefined
}

export interface PlanPrices {
  readonly input: number | string
  readonly read: number | string
  /** By life; left out, or `plain`: writing costs no more than reading anew. */
  readonly write?: 'plain' | Readonly<Partial<Record<WriteTtl, number | string | undefined>>> | undefined
  readonly output?: number | string | undefined
  readonly storage?: number | string | undefined
}

const mostTokens = 1_000_000_000
const mostRequests = 1_000_000_000
const name = z.string().min(1).max(200)
const tokens = z.int().min(0).max(mostTokens)
const share = z.number().min(0).max(1)
const rateText = 'must be USD per million tokens with at most six decimals, such as 0.075'
const rate = z
  .union([z.number(), z.string()], { error: rateText })
  .refine((value) => /^\d{1,9}(?:\.\d{1,6})?$/.test(String(value)), rateText)

const writes = z.strictObject({
  '5m': rate.optional(),
  '30m': rate.optional(),
  '1h': rate.optional(),
  '12h': rate.optional(),
})

const body = z.strictObject({
  provider: name.optional(),
  upstream: name.optional(),
  model: name.optional(),
  at: z.string().max(40).optional(),
  service_tier: z.string().min(1).max(50).optional(),
  prices: z
    .strictObject({
      input: rate,
      read: rate,
      write: z
        .union([z.literal('plain'), writes], { error: 'must be plain, or prices for 5m, 30m, 1h, 12h' })
        .optional(),
      output: rate.optional(),
      storage: rate.optional(),
    })
    .optional(),
  cacheable_tokens: tokens,
  requests: z.int().min(1).max(mostRequests).optional(),
  requests_per_hour: z.number().min(0.000_001).max(1_000_000_000).optional(),
  gap_seconds: z.number().min(0).max(1_000_000_000).optional(),
  varying_tokens: tokens.optional(),
  output_tokens: tokens.optional(),
  changed_share: share.optional(),
  pattern: z.enum(['template', 'upload', 'retrieval']).optional(),
  min_tokens: tokens.optional(),
  ttl: z.enum(['5m', '30m', '1h', '12h']).optional(),
  layers: z
    .strictObject({
      org_shared_hit_rate: share,
      provider_saving: share.optional(),
      overhead: share.optional(),
    })
    .optional(),
})

/** Checks a request of the calculator. */
export const planSchema: z.ZodType<PlanRequest> = body
  .refine(({ prices, model }) => prices !== undefined || model !== undefined, {
    path: ['model'],
    error: 'must be given, with its provider; or prices',
  })
  .refine(
    ({ prices, model, provider, upstream }) =>
      prices !== undefined || model === undefined || (provider ?? upstream) !== undefined,
    {
      path: ['provider'],
      error: 'must be given, for prices differ between providers; or an upstream, or prices',
    },
  )
  .refine(({ requests_per_hour: perHour, gap_seconds: gap }) => perHour === undefined || gap === undefined, {
    path: ['gap_seconds'],
    error: 'must not stand beside requests_per_hour: one of them says how far requests are apart',
  })
  .transform(({ requests, ...rest }, context) => {
    const all = requests ?? requestsOfDay(rest)
    if (all !== undefined) return { ...rest, requests: all }
    context.addIssue({
      code: 'custom',
      path: ['requests'],
      message: 'must be given, or requests_per_hour or gap_seconds: then it is those of a day',
    })
    return z.NEVER
  })

const secondsOfDay = 86_400

/** Nobody counts beforehand how often a prompt will be sent, but many know how often in an hour. */
function requestsOfDay({
  requests_per_hour: perHour,
  gap_seconds: gap,
}: Pick<z.infer<typeof body>, 'requests_per_hour' | 'gap_seconds'>): number | undefined {
  const perDay = perHour === undefined ? secondsOfDay / (gap ?? 0) : perHour * 24
  return Number.isFinite(perDay) ? Math.min(mostRequests, Math.max(1, Math.round(perDay))) : undefined
}
