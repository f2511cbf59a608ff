import type { DialectName, EpochMs, IncipitError } from '@incipit/core'
import type { EngineStats } from '@incipit/engine'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LedgerEvent } from '../ledger/port.ts'
import type { LedgerCounters } from '../ledger/sqlite-ledger.ts'
import { EventLoopWatch } from './event-loop-watch.ts'

/** Seconds; cold prompts on a CPU take longer than the 10 s where common bucket lists end. */
const ttftBuckets = [0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 80]

const mostModels = 200
const mostSeries = 5_000

/** Counters of one kind of event: summed up here, and handed to the registry when somebody looks. */
interface Series {
  readonly sums: { requests: number; input: number; cached: number; evaluated: number; output: number }
  readonly requests: Counter.Internal
  readonly input: Counter.Internal
  readonly cached: Counter.Internal
  readonly evaluated: Counter.Internal
  readonly output: Counter.Internal
  readonly ttft: Histogram.Internal<'model' | 'prefix'>
}

/**
 * What the gateway counts, behind one facade: stages say what happened, names and labels stay here.
 * No label carries an organisation, a session or anything a client can make up.
 *
 * @example const text = await metrics.render(await engine.stats())
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #eventLoop = new EventLoopWatch()
  readonly #requests = this.#counter(
    'incipit_requests_total',
    'Prompts by dialect, served model, cold or warm, and status',
    ['dialect', 'model', 'prefix', 'status'],
  )
  readonly #refused = this.#counter('incipit_refused_total', 'Requests refused or failed, by code', ['dialect', 'code'])
  readonly #input = this.#counter('incipit_input_tokens_total', 'Prompt tokens', ['model'])
  readonly #cached = this.#counter('incipit_cached_input_tokens_total', 'Prompt tokens read from a prefix cache', [
    'model',
  ])
  readonly #evaluated = this.#counter('incipit_evaluated_tokens_total', 'Prompt tokens the engine evaluated', ['model'])
  readonly #output = this.#counter('incipit_output_tokens_total', 'Generated tokens', ['model'])
  readonly #attempts = this.#counter(
    'incipit_failed_attempts_total',
    'Tries at upstreams that led to no answer, by the status they ended with',
    ['upstream', 'status'],
  )
  readonly #warnings = this.#counter('incipit_warnings_total', 'Things that could not be sent as they were written', [
    'code',
  ])
  readonly #edits = this.#counter('incipit_edits_total', 'Edits of bodies before they were sent', ['edit'])
  readonly #series = new Map<string, Series>()
  readonly #models = new Set<string>()
  readonly #lost = this.#counter('incipit_ledger_lost_events_total', 'Events the ledger did not take', [])
  readonly #unimported = {
    rows: this.#gauge('incipit_ledger_unimported_rows', 'Events recorded that wait for the store of the ledger', []),
    bytes: this.#gauge('incipit_ledger_unimported_bytes', 'Bytes of events that wait for the store of the ledger', []),
  }
  #ledgerCounters: (() => LedgerCounters) | undefined
  readonly #inFlight = new Gauge({
    name: 'incipit_requests_in_flight',
    help: 'Prompts being served',
    registers: [this.#registry],
  })
  readonly #ttft = new Histogram({
    name: 'incipit_time_to_first_token_seconds',
    help: 'Request received to first content byte, cold and warm apart',
    labelNames: ['model', 'prefix'],
    buckets: ttftBuckets,
    registers: [this.#registry],
  })
  readonly #delay = this.#gauge('incipit_event_loop_delay_seconds', 'Delay of the event loop since the last scrape', [
    'quantile',
  ])
  readonly #generation = this.#gauge('incipit_config_generation', 'Number of the configuration in effect, from 1', [])
  readonly #reloadFailures = this.#counter(
    'incipit_config_reload_failures_total',
    'Configurations that were read and refused',
    [],
  )
  readonly #lastReloadFailure = this.#gauge(
    'incipit_config_last_failed_reload_timestamp_seconds',
    'When a configuration was last refused; 0 = never',
    [],
  )
  readonly #engine = {
    running: this.#gauge('incipit_engine_requests_running', 'Generations running', []),
    queued: this.#gauge('incipit_engine_requests_queued', 'Generations waiting', []),
    resident: this.#gauge('incipit_engine_resident_bytes', 'Resident memory of the engine process', []),
    budget: this.#gauge('incipit_engine_budget_bytes', 'Memory the engine is allowed', []),
    restarts: this.#gauge('incipit_engine_restarts', 'Restarts of the engine process since start', []),
    tokens: this.#gauge('incipit_engine_cache_tokens', 'Tokens held by the prefix cache', ['model', 'tier']),
    ramBytes: this.#gauge('incipit_engine_cache_ram_bytes', 'Bytes of blocks in RAM', ['model']),
    evicted: this.#gauge('incipit_engine_cache_evicted_tokens', 'Tokens evicted since start', ['model']),
  }

  /** One prompt is being served; call the answer when it is over. */
  enter(): () => void {
    this.#inFlight.inc()
    return () => this.#inFlight.dec()
  }

  observe(event: LedgerEvent): void {
    const prefix =
      event.cachedInputTokens === undefined ? 'not_reported' : event.cachedInputTokens > 0 ? 'warm' : 'cold'
    const series = this.#seriesOf(event.dialect, event.servedModel ?? 'unknown', prefix, event.status)
    series.sums.requests += 1
    series.sums.input += event.inputTokens ?? 0
    series.sums.cached += event.cachedInputTokens ?? 0
    series.sums.evaluated += event.evaluatedTokens ?? 0
    series.sums.output += event.usage.output ?? 0
    for (const edit of event.edits) this.#edits.inc({ edit })
    for (const warning of event.warnings) this.#warnings.inc({ code: warning.slice(0, warning.indexOf(':')) })
    if (event.ttftMs !== undefined) series.ttft.observe(event.ttftMs / 1000)
  }

  /** The counters of one kind of event, found by their labels once. */
  #seriesOf(dialect: string, servedModel: string, prefix: string, status: number): Series {
    const name = `${dialect} ${prefix} ${status} ${servedModel}`
    const known = this.#series.get(name)
    if (known !== undefined) return known
    const model = this.#modelLabel(servedModel)
    const series: Series = {
      sums: { requests: 0, input: 0, cached: 0, evaluated: 0, output: 0 },
      requests: this.#requests.labels({ dialect, model, prefix, status }),
      input: this.#input.labels({ model }),
      cached: this.#cached.labels({ model }),
      evaluated: this.#evaluated.labels({ model }),
      output: this.#output.labels({ model }),
      ttft: this.#ttft.labels({ model, prefix }),
    }
    if (this.#series.size >= mostSeries) this.#settleSums()
    this.#series.set(name, series)
    return series
  }

  /** Side effect: begins the sums anew; beyond the bound also the list of series. */
  #settleSums(): void {
    for (const series of this.#series.values()) {
      const { sums } = series
      series.requests.inc(sums.requests)
      series.input.inc(sums.input)
      series.cached.inc(sums.cached)
      series.evaluated.inc(sums.evaluated)
      series.output.inc(sums.output)
      Object.assign(sums, { requests: 0, input: 0, cached: 0, evaluated: 0, output: 0 })
    }
    if (this.#series.size >= mostSeries) this.#series.clear()
  }

  /** Upstreams take any name that matches a glob: names beyond a bound share one label. */
  #modelLabel(model: string): string {
    if (this.#models.has(model)) return model
    if (this.#models.size >= mostModels) return 'other'
    this.#models.add(model)
    return model
  }

  /** A try at an upstream that led to no answer. */
  attemptFailed({ upstream, status }: LedgerEvent): void {
    this.#attempts.inc({ upstream: upstream ?? 'unknown', status })
  }

  refused(dialect: DialectName | 'none', error: IncipitError): void {
    this.#refused.inc({ dialect, code: error.code })
  }

  lostEvent(rows = 1): void {
    this.#lost.inc(rows)
  }

  /** Shows what a ledger counts from now on. */
  followLedger(counters: () => LedgerCounters): void {
    this.#ledgerCounters = counters
  }

  configured(generation: number): void {
    this.#generation.set(generation)
  }

  /** A configuration was refused at this time. */
  reloadFailed(at: EpochMs): void {
    this.#reloadFailures.inc()
    this.#lastReloadFailure.set(at / 1000)
  }

  /** The Prometheus text format. Side effect: starts a new window of event-loop delay. */
  async render(engine: EngineStats | undefined): Promise<string> {
    this.#settleSums()
    const delay = this.#eventLoop.read()
    this.#delay.set({ quantile: '0.5' }, delay.p50Ms / 1000)
    this.#delay.set({ quantile: '0.99' }, delay.p99Ms / 1000)
    this.#delay.set({ quantile: '1' }, delay.maxMs / 1000)
    if (engine !== undefined) this.#showEngine(engine)
    const ledger = this.#ledgerCounters?.()
    this.#unimported.rows.set(ledger?.unimported ?? 0)
    this.#unimported.bytes.set(ledger?.unimportedBytes ?? 0)
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  close(): void {
    this.#eventLoop.close()
  }

  #showEngine(stats: EngineStats): void {
    this.#engine.running.set(stats.running)
    this.#engine.queued.set(stats.queued)
    this.#engine.resident.set(stats.residentBytes)
    this.#engine.budget.set(stats.budgetBytes)
    this.#engine.restarts.set(stats.restarts)
    for (const model of stats.models) {
      this.#engine.tokens.set({ model: model.name, tier: 'hot' }, model.hotTokens)
      this.#engine.ramBytes.set({ model: model.name }, model.ramBytes)
      this.#engine.evicted.set({ model: model.name }, model.evictedTokens)
    }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
  }
}
