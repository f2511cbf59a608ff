import type { PicoUsd, PlanOption, SavingsPlan } from '@incipit/core'
import { lifeInWords, roundedQuotient, savedBy, shownUsd, usd } from '@incipit/core'
import { ConfigError } from '../config/config-error.ts'
import { buildPlan } from '../prices/build-plan.ts'
import { given } from '../prices/given.ts'
import { planJson } from '../prices/plan-json.ts'
import type { PlanPrices, PlanRequest } from '../prices/plan-request.ts'
import { planSchema } from '../prices/plan-request.ts'
import type { PriceDesk, PriceFlags } from './price.ts'
import { textBar, textTable } from './text-table.ts'

/** The flags of `incipit price plan`, as commander gives them. */
export interface PlanFlags extends PriceFlags {
  readonly provider?: string
  readonly upstream?: string
  readonly model?: string
  readonly serviceTier?: string
  readonly tokens: number
  readonly requests?: number
  readonly perHour?: number
  readonly gapSeconds?: number
  readonly varyingTokens?: number
  readonly outputTokens?: number
  readonly changedShare?: number
  readonly pattern?: string
  readonly minTokens?: number
  readonly ttl?: string
  readonly inputPrice?: string
  readonly readPrice?: string
  readonly writePrice?: string
  readonly outputPrice?: string
  readonly storagePrice?: string
  readonly orgSharedHitRate?: number
  readonly providerSaving?: number
  readonly overhead?: number
}

/**
 * `incipit price plan`: what caching would save.
 * @throws ConfigError when the flags do not fit together
 * @example process.stdout.write(showPlan(desk, { provider: 'openai', model: 'gpt-4o', tokens: 10_000, requests: 100 }))
 */
export function showPlan({ book, at }: PriceDesk, flags: PlanFlags): string {
  const request = requestFrom(flags)
  const made = buildPlan(request, { prices: book, now: at })
  const json = planJson(request, made)
  if (flags.json === true) return `${JSON.stringify(json, null, 2)}\n`
  const { price } = made.input
  const subject = [request.model, request.provider ?? request.upstream].filter(Boolean).join(' at ')
  const head = `${subject === '' ? 'Given prices' : subject} (${price.id}, ${price.certainty}, ${price.source})\n`
  const doubts = price.unverified.length === 0 ? '' : `Nobody has confirmed: ${price.unverified.join(', ')}.\n`
  return `${head}${doubts}${assumptions(request, flags.requests === undefined)}\n${planText(made.plan)}${layersText(json['layers'])}`
}

function requestFrom(flags: PlanFlags): PlanRequest {
  const { provider, upstream, model, ttl, orgSharedHitRate, providerSaving, overhead } = flags
  const layers =
    orgSharedHitRate === undefined
      ? undefined
      : given({ org_shared_hit_rate: orgSharedHitRate, provider_saving: providerSaving, overhead })
  const parsed = planSchema.safeParse(
    given({
      provider,
      upstream,
      model,
      ttl,
      service_tier: flags.serviceTier,
      prices: pricesFrom(flags),
      cacheable_tokens: flags.tokens,
      requests: flags.requests,
      requests_per_hour: flags.perHour,
      gap_seconds: flags.gapSeconds,
      varying_tokens: flags.varyingTokens,
      output_tokens: flags.outputTokens,
      changed_share: flags.changedShare,
      pattern: flags.pattern,
      min_tokens: flags.minTokens,
      layers,
    }),
  )
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ConfigError(`${flagOf((issue?.path ?? []).map(String))}: ${inFlags(issue?.message ?? 'not as expected')}`)
}

/** What the API calls by its fields, by the flags that stand for them. */
function inFlags(text: string): string {
  return text.replaceAll('requests_per_hour', '--per-hour').replaceAll('gap_seconds', '--gap-seconds')
}

function pricesFrom(flags: PlanFlags): Partial<PlanPrices> | undefined {
  const { inputPrice, readPrice, writePrice, outputPrice, storagePrice, ttl = '5m' } = flags
  const prices = given({ input: inputPrice, read: readPrice, output: outputPrice, storage: storagePrice })
  const write = writePrice === undefined ? undefined : { [ttl]: writePrice }
  return Object.keys(prices).length === 0 && write === undefined ? undefined : given({ ...prices, write })
}

const flagNames: Readonly<Record<string, string>> = {
  cacheable_tokens: 'tokens',
  requests_per_hour: 'per-hour',
  'prices.input': 'input-price',
  'prices.read': 'read-price',
  'prices.output': 'output-price',
  'prices.storage': 'storage-price',
}

/** Which flag gave the value at a path of the request. */
function flagOf(path: readonly string[]): string {
  if (path[1] === 'write') return '--write-price'
  const name = flagNames[path.join('.')] ?? path.at(-1) ?? ''
  return `--${name.replaceAll('_', '-')}`
}

function assumptions(request: PlanRequest, isOneDay: boolean): string {
  const { requests, cacheable_tokens: shared, gap_seconds: gap, requests_per_hour: perHour } = request
  const { varying_tokens: varying = 0, output_tokens: output = 0, changed_share: changed = 0 } = request
  const arrivals =
    gap !== undefined
      ? `, one every ${gap} seconds`
      : perHour !== undefined
        ? `, ${perHour} an hour at random`
        : ', all while the cache lives'
  const behind = varying + output === 0 ? '' : `; behind them ${varying} tokens and ${output} of answer each`
  const differently = changed === 0 ? '' : `; ${Math.round(changed * 1000) / 10} % begin differently`
  const many = requests === 1 ? '1 request that shares' : `${requests} requests${isOneDay ? ' a day' : ''} that share`
  return `${many} ${shared} tokens${arrivals}${behind}${differently}.\n`
}

function planText(plan: SavingsPlan): string {
  if (plan.verdict === 'unknown') return `Not known: there is no price for ${plan.missing.join(' and ')}.\n`
  const { uncached, rest, options, reasons, unpriced } = plan
  const rows = [
    ['no cache', shownUsd(uncached), bar(uncached, uncached), '', '', ''],
    ...options.flatMap((option) => optionRows(option, uncached)),
  ]
  const shown = new Set(reasons.map(({ text }) => text))
  const why = options.flatMap(({ life, reasons }) =>
    reasons.filter(({ text }) => !shown.has(text)).map(({ text }) => `  ${lifeInWords(life)}: ${text}.\n`),
  )
  const more = rest === undefined || rest === 0n ? '' : `Besides, ${shownUsd(rest)} USD that caching does not change.\n`
  const missing = unpriced.length === 0 ? '' : `No price is known for: ${unpriced.map(lifeInWords).join(', ')}.\n`
  return `${textTable(columns, rows)}\n${verdictText(plan)}${why.join('')}${more}${missing}`
}

function verdictText(plan: Exclude<SavingsPlan, { verdict: 'unknown' }>): string {
  const { verdict, uncached, best, keepAlive, reasons } = plan
  if (verdict === 'do_not_cache') return `Do not cache it.\n${reasons.map(({ text }) => `  ${text}.\n`).join('')}`
  const name = `${lifeInWords(best.life)}${keepAlive ? ' with pings' : ''}`
  const doubt = best.atBest ? ' at best, for how long it is kept is not published' : ''
  return `Cache it, ${name}: it saves ${shownUsd(savedBy(best))} USD of ${shownUsd(uncached)}${doubt}.\n`
}

const columns = [
  { head: '' },
  { head: 'USD', right: true },
  { head: '' },
  { head: 'saved', right: true },
  { head: 'writes, reads' },
  { head: 'pays from' },
]

const barWidth = 24

function optionRows(option: PlanOption, uncached: PicoUsd): string[][] {
  const { life, atBest, writes, reads, cost, saved, breakEvenReads, breakEvenReadsPerHour, keepAlive } = option
  const from =
    breakEvenReadsPerHour !== undefined
      ? `${breakEvenReadsPerHour} ${breakEvenReadsPerHour === 1 ? 'read' : 'reads'} an hour`
      : breakEvenReads === undefined
        ? 'never'
        : `${breakEvenReads} ${breakEvenReads === 1 ? 'read' : 'reads'}`
  const row = [
    lifeInWords(life),
    shownUsd(cost),
    bar(cost, uncached),
    `${atBest ? 'at best ' : ''}${percent(saved, uncached)}`,
    `${writes}, ${reads}`,
    from,
  ]
  if (keepAlive === undefined) return [row]
  const { pings, everySeconds } = keepAlive
  return [
    row,
    [
      `  and pings`,
      shownUsd(keepAlive.cost),
      bar(keepAlive.cost, uncached),
      percent(keepAlive.saved, uncached),
      `${pings} pings, every ${everySeconds} s`,
      '',
    ],
  ]
}

function bar(cost: PicoUsd, uncached: PicoUsd): string {
  return textBar(usd(cost), usd(uncached), barWidth)
}

/** To a tenth of a per cent, the half away from zero. */
function percent(part: PicoUsd, whole: PicoUsd): string {
  if (whole === 0n) return ''
  const pico: bigint = part
  const tenths = Number(roundedQuotient((pico < 0n ? -pico : pico) * 1000n, whole))
  return `${pico < 0n && tenths > 0 ? '-' : ''}${(tenths / 10).toFixed(1)} %`
}

function layersText(layers: unknown): string {
  if (typeof layers !== 'object' || layers === null) return ''
  const {
    org_shared_hit_rate: hits,
    provider_saving: saving,
    overhead,
    effective_share: effective,
  } = layers as {
    readonly org_shared_hit_rate: number
    readonly provider_saving: number
    readonly overhead: number
    readonly effective_share: number
  }
  return `
With a cache of answers in front: (1 - ${hits}) x (1 - ${saving}) + ${overhead} = ${share(effective)} of what no cache would cost.
The guide's 13 to 16 % (hit rate 80 %, 35 to 42 % off the rest) needs an overhead of 1.4 to 3 % that it does not name:
by the same formula its numbers come to 11.6 to 13 %.
`
}

function share(value: number): string {
  return `${Math.round(value * 1000) / 10} %`
}
