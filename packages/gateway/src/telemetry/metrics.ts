import type { DialectName, IncipitError } from '@incipit/core'
import type { EngineStats } from '@incipit/engine'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LedgerEvent } from '../ledger/port.ts'
import { EventLoopWatch } from './event-loop-watch.ts'

/** Seconds; cold prompts on a CPU take longer than the 10 s where common bucket lists end. */
const ttftBuckets = [0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 80]

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
  readonly #lost = this.#counter('incipit_ledger_lost_events_total', 'Events the ledger did not take', [])
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
    const model = event.servedModel ?? 'unknown'
    const prefix =
      event.cachedInputTokens === undefined ? 'not_reported' : event.cachedInputTokens > 0 ? 'warm' : 'cold'
    this.#requests.inc({ dialect: event.dialect, model, prefix, status: event.status })
    this.#input.inc({ model }, event.inputTokens ?? 0)
    this.#cached.inc({ model }, event.cachedInputTokens ?? 0)
    this.#evaluated.inc({ model }, event.evaluatedTokens ?? 0)
    this.#output.inc({ model }, event.usage.output ?? 0)
    if (event.ttftMs !== undefined) this.#ttft.observe({ model, prefix }, event.ttftMs / 1000)
  }

  refused(dialect: DialectName | 'none', error: IncipitError): void {
    this.#refused.inc({ dialect, code: error.code })
  }

  lostEvent(): void {
    this.#lost.inc()
  }

  /** The Prometheus text format. Side effect: starts a new window of event-loop delay. */
  async render(engine: EngineStats | undefined): Promise<string> {
    const delay = this.#eventLoop.read()
    this.#delay.set({ quantile: '0.5' }, delay.p50Ms / 1000)
    this.#delay.set({ quantile: '0.99' }, delay.p99Ms / 1000)
    this.#delay.set({ quantile: '1' }, delay.maxMs / 1000)
    if (engine !== undefined) this.#showEngine(engine)
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
