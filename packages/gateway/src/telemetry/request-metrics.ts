import { inputBuckets } from '@incipit/core'
import type { Histogram } from 'prom-client'
import type { LedgerEvent } from '../ledger/port.ts'
import { BoundedNames } from './bounded-names.ts'
import { costParts } from './cost-parts.ts'
import type { CostPart } from './cost-parts.ts'
import type { Instruments } from './instruments.ts'
import { MoneyTally, Tally } from './tally.ts'

/** Seconds; cold prompts on a CPU take longer than the 10 s where common bucket lists end. */
export const ttftBuckets: readonly number[] = [
  0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 80,
]
export const durationBuckets: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640]
const rateBuckets = [1, 2.5, 5, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500, 1_000]

const mostModels = 200
const mostOrgs = 200
const mostCauses = 100
const mostSeries = 5_000

const ttls = { write5m: '5m', write30m: '30m', write1h: '1h', write12h: '12h' } as const
type WriteBucket = keyof typeof ttls
const writeBuckets = inputBuckets.filter((bucket): bucket is WriteBucket => bucket in ttls)

/** Counts of one kind of request: summed up here, and handed to the registry when somebody looks. */
interface Series {
  readonly requests: Tally
  readonly tokens: Readonly<Record<'input' | 'cached' | 'fresh' | 'evaluated' | 'output' | WriteBucket, Tally>>
  readonly unpriced: Tally
  readonly cost: ReadonlyMap<CostPart, MoneyTally>
  readonly counterfactual: MoneyTally
  /** By verdict and cause, as they come. */
  readonly verdicts: Map<string, Tally>
  readonly ttft: Histogram.Internal<string>
  readonly duration: Histogram.Internal<string>
  readonly rate: Histogram.Internal<string>
}

/** What tells apart one series of requests from another. */
interface Kind {
  readonly prefix: string
  readonly status: number
  readonly place: Readonly<Record<string, string>>
}

/**
 * Requests, tokens, money and times, from the rows of the ledger. A request costs one look-up and a few additions.
 * @example const requests = new RequestMetrics(instruments, { orgLabel: false }); requests.observe(event)
 */
export class RequestMetrics {
  readonly #orgLabel: boolean
  readonly #instruments: RequestInstruments
  readonly #series = new Map<string, Series>()
  readonly #models = new BoundedNames(mostModels)
  readonly #orgs = new BoundedNames(mostOrgs)
  readonly #causes = new BoundedNames(mostCauses)
  readonly #headroom = new Map<string, Record<'requests' | 'tokens', number | undefined>>()

  constructor(instruments: Instruments, { orgLabel }: { readonly orgLabel: boolean }) {
    this.#orgLabel = orgLabel
    this.#instruments = makeInstruments(instruments, orgLabel)
  }

  /** A row of the ledger: of requests everything counts, of others what they cost. */
  observe(event: LedgerEvent): void {
    const series = this.#seriesOf(event)
    for (const [part, amount] of costParts(event)) series.cost.get(part)?.add(amount)
    if (event.kind !== 'request') return
    const { usage } = event
    series.requests.add(1)
    series.tokens.input.add(event.inputTokens)
    series.tokens.cached.add(event.cachedInputTokens)
    series.tokens.fresh.add(usage.fresh)
    series.tokens.evaluated.add(event.evaluatedTokens)
    series.tokens.output.add(usage.output)
    for (const bucket of writeBuckets) series.tokens[bucket].add(usage[bucket])
    if (event.cost === undefined) series.unpriced.add(usesTokens(event) ? 1 : 0)
    // A cost without a counterfactual is its own: no saving is claimed that nobody calculated.
    else series.counterfactual.add(event.counterfactual ?? event.cost)
    if (event.ttftMs !== undefined) series.ttft.observe(event.ttftMs / 1_000)
    series.duration.observe(event.totalMs / 1_000)
    const rate = outputRate(event)
    if (rate !== undefined) series.rate.observe(rate)
    this.#judge(event, series)
  }

  /** What is left of the limits of an upstream, as it said last. */
  noteHeadroom({ upstream = 'unknown', requestHeadroom, tokenHeadroom }: LedgerEvent): void {
    if (requestHeadroom === undefined && tokenHeadroom === undefined) return
    const before = this.#headroom.get(upstream)
    this.#headroom.set(upstream, {
      requests: requestHeadroom ?? before?.requests,
      tokens: tokenHeadroom ?? before?.tokens,
    })
  }

  /** Side effect: begins the sums anew; beyond the bound also the list of series. */
  settle(): void {
    for (const series of this.#series.values()) {
      const { requests, tokens, unpriced, cost, counterfactual, verdicts } = series
      const counts = [requests, ...Object.values(tokens), unpriced, ...verdicts.values()]
      for (const tally of [...counts, ...cost.values(), counterfactual]) tally.settle()
    }
    for (const [upstream, left] of this.#headroom) {
      for (const limit of ['requests', 'tokens'] as const) {
        if (left[limit] !== undefined) this.#instruments.headroom.set({ upstream, limit }, left[limit])
      }
    }
    if (this.#series.size >= mostSeries) this.#series.clear()
  }

  #judge(
    { verdict, cause = 'none', servedModel = 'unknown', upstream = 'unknown' }: LedgerEvent,
    series: Series,
  ): void {
    if (verdict === undefined) return
    const name = `${verdict} ${cause}`
    let tally = series.verdicts.get(name)
    if (tally === undefined) {
      const labels = { model: this.#models.of(servedModel), upstream, verdict, cause: this.#causes.of(cause) }
      tally = new Tally(this.#instruments.verdicts.labels(labels))
      series.verdicts.set(name, tally)
    }
    tally.add(1)
  }

  /** The counts of one kind of request, found by its labels once. */
  #seriesOf(event: LedgerEvent): Series {
    const { dialect, servedModel = 'unknown', upstream = 'unknown', provider = 'unknown', status } = event
    const prefix = prefixOf(event)
    const group = event.control ? 'control' : 'treated'
    const org = this.#orgLabel ? event.org : ''
    const name = `${dialect} ${prefix} ${status} ${group} ${upstream} ${provider} ${servedModel} ${org}`
    const known = this.#series.get(name)
    if (known !== undefined) return known
    if (this.#series.size >= mostSeries) this.settle()
    const place = {
      model: this.#models.of(servedModel),
      upstream,
      provider,
      group,
      ...(this.#orgLabel ? { org: this.#orgs.of(org) } : {}),
    }
    const series = makeSeries(this.#instruments, dialect, { prefix, status, place })
    this.#series.set(name, series)
    return series
  }
}

type RequestInstruments = ReturnType<typeof makeInstruments>

function makeInstruments(make: Instruments, orgLabel: boolean) {
  const place: readonly string[] = ['model', 'upstream', 'provider', 'group', ...(orgLabel ? ['org'] : [])]
  const tokens = (name: string, help: string, more: readonly string[] = []) =>
    make.counter(`incipit_${name}_tokens_total`, help, [...place, ...more])
  return {
    requests: make.counter('incipit_requests_total', 'Prompts that reached a model', [
      'dialect',
      ...place,
      'prefix',
      'status',
    ]),
    input: tokens('input', 'Prompt tokens, all kinds', ['prefix']),
    cached: tokens('cached_input', 'Prompt tokens read from a prefix cache'),
    fresh: tokens('fresh_input', 'Prompt tokens computed and billed at the plain rate'),
    writes: tokens('cache_write', 'Prompt tokens computed and written to a prefix cache', ['ttl']),
    evaluated: tokens('evaluated', 'Prompt tokens the local engine computed'),
    output: tokens('output', 'Generated tokens'),
    cost: make.counter('incipit_cost_usd_total', 'Dollars that answers and upkeep of caches cost', [...place, 'part']),
    counterfactual: make.counter(
      'incipit_counterfactual_usd_total',
      'Dollars the same tokens cost where nothing is cached',
      place,
    ),
    unpriced: make.counter('incipit_unpriced_requests_total', 'Prompts whose cost is not known', place),
    verdicts: make.counter('incipit_prefix_verdicts_total', 'Prompts by how much of them was warm, and why not more', [
      'model',
      'upstream',
      'verdict',
      'cause',
    ]),
    headroom: make.gauge('incipit_rate_limit_headroom_ratio', 'Part of the limit of an upstream that is left', [
      'upstream',
      'limit',
    ]),
    ...makeHistograms(make),
  }
}

function makeHistograms(make: Instruments) {
  return {
    ttft: make.histogram({
      name: 'incipit_time_to_first_token_seconds',
      help: 'Request received to first content byte',
      labelNames: ['model', 'upstream', 'prefix'],
      buckets: ttftBuckets,
    }),
    duration: make.histogram({
      name: 'incipit_request_duration_seconds',
      help: 'Request received to answer complete',
      labelNames: ['model', 'upstream'],
      buckets: durationBuckets,
    }),
    rate: make.histogram({
      name: 'incipit_output_tokens_per_second',
      help: 'Generated tokens of one stream by the seconds after its first',
      labelNames: ['model', 'upstream'],
      buckets: rateBuckets,
    }),
  }
}

function makeSeries(of: RequestInstruments, dialect: string, { prefix, status, place }: Kind): Series {
  const { model = '', upstream = '' } = place
  const write = (bucket: WriteBucket): Tally => new Tally(of.writes.labels({ ...place, ttl: ttls[bucket] }))
  const parts: readonly CostPart[] = ['fresh', 'read', 'write', 'output', 'unsplit', 'storage', 'ping', 'prewarm']
  return {
    requests: new Tally(of.requests.labels({ dialect, ...place, prefix, status })),
    tokens: {
      input: new Tally(of.input.labels({ ...place, prefix })),
      cached: new Tally(of.cached.labels(place)),
      fresh: new Tally(of.fresh.labels(place)),
      evaluated: new Tally(of.evaluated.labels(place)),
      output: new Tally(of.output.labels(place)),
      write5m: write('write5m'),
      write30m: write('write30m'),
      write1h: write('write1h'),
      write12h: write('write12h'),
    },
    unpriced: new Tally(of.unpriced.labels(place)),
    cost: new Map(parts.map((part) => [part, new MoneyTally(of.cost.labels({ ...place, part }))])),
    counterfactual: new MoneyTally(of.counterfactual.labels(place)),
    verdicts: new Map(),
    ttft: of.ttft.labels({ model, upstream, prefix }),
    duration: of.duration.labels({ model, upstream }),
    rate: of.rate.labels({ model, upstream }),
  }
}

function prefixOf({ cachedInputTokens }: LedgerEvent): string {
  if (cachedInputTokens === undefined) return 'not_reported'
  return cachedInputTokens > 0 ? 'warm' : 'cold'
}

function usesTokens({ inputTokens, usage }: LedgerEvent): boolean {
  return (inputTokens ?? 0) > 0 || (usage.output ?? 0) > 0
}

/** Of a stream: a whole answer arrives at once, whenever its tokens were made. */
export function outputRate({ stream, ttftMs, totalMs, usage }: LedgerEvent): number | undefined {
  const tokens = (usage.output ?? 0) - 1
  if (!stream || ttftMs === undefined || tokens < 1) return undefined
  const seconds = (totalMs - ttftMs) / 1_000
  return seconds <= 0 ? undefined : tokens / seconds
}
