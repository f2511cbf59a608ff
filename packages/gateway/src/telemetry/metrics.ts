import type { DialectName, EpochMs, IncipitError } from '@incipit/core'
import type { LedgerEvent } from '../ledger/port.ts'
import type { LedgerCounters } from '../ledger/sqlite-ledger.ts'
import type { EngineReading } from './engine-metrics.ts'
import { EngineMetrics } from './engine-metrics.ts'
import { EventLoopWatch } from './event-loop-watch.ts'
import { Instruments } from './instruments.ts'
import { LedgerMetrics } from './ledger-metrics.ts'
import { RequestMetrics } from './request-metrics.ts'
import { VllmMetrics } from './vllm-metrics.ts'

/** How much metrics tell. */
export interface MetricsOptions {
  /** Requests, tokens and money by organisation. */
  readonly orgLabel?: boolean
  /** Local models also under the names that vLLM gives its metrics. */
  readonly vllmNames?: boolean
}

/**
 * What the gateway counts, behind one facade: stages say what happened, names and labels stay here.
 * No label carries a session or anything a client can make up without bound; organisations only where the
 * configuration asks for them.
 *
 * @example const text = await metrics.render({ stats: await engine.stats(), modelOf: (instance) => instance })
 */
export class Metrics {
  readonly #make = new Instruments()
  readonly #eventLoop = new EventLoopWatch()
  #served = 0
  readonly #requests: RequestMetrics
  readonly #ledger = new LedgerMetrics(this.#make)
  readonly #engine = new EngineMetrics(this.#make)
  readonly #vllm: VllmMetrics | undefined
  readonly #refused = this.#make.counter('incipit_refused_total', 'Requests refused or failed, by code', [
    'dialect',
    'code',
  ])
  readonly #limited = this.#make.counter('incipit_limited_total', 'Requests refused by a limit or a budget of ours', [
    'kind',
  ])
  readonly #attempts = this.#make.counter(
    'incipit_failed_attempts_total',
    'Tries at upstreams that led to no answer, by the status they ended with',
    ['upstream', 'status'],
  )
  readonly #warnings = this.#make.counter(
    'incipit_warnings_total',
    'Things that could not be sent as they were written',
    ['code'],
  )
  readonly #edits = this.#make.counter('incipit_edits_total', 'Edits of bodies before they were sent', ['edit'])
  readonly #inFlight = this.#make.gauge('incipit_requests_in_flight', 'Prompts being served')
  readonly #delay = this.#make.gauge(
    'incipit_event_loop_delay_seconds',
    'Delay of the event loop since the last scrape',
    ['quantile'],
  )
  readonly #generation = this.#make.gauge('incipit_config_generation', 'Number of the configuration in effect, from 1')
  readonly #reloadFailures = this.#make.counter(
    'incipit_config_reload_failures_total',
    'Configurations that were read and refused',
  )
  readonly #lastReloadFailure = this.#make.gauge(
    'incipit_config_last_failed_reload_timestamp_seconds',
    'When a configuration was last refused; 0 = never',
  )

  constructor({ orgLabel = false, vllmNames = false }: MetricsOptions = {}) {
    this.#requests = new RequestMetrics(this.#make, { orgLabel })
    if (vllmNames) this.#vllm = new VllmMetrics(this.#make)
  }

  /** One prompt is being served, until `leave`. */
  enter(): void {
    this.#served += 1
  }

  leave(): void {
    this.#served -= 1
  }

  /** A row of the ledger that is no failed try: a request, or the upkeep of a cache. */
  observe(event: LedgerEvent): void {
    this.#requests.observe(event)
    this.#requests.noteHeadroom(event)
    this.#vllm?.observe(event)
    for (const edit of event.edits) this.#edits.inc({ edit })
    for (const warning of event.warnings) this.#warnings.inc({ code: warning.slice(0, warning.indexOf(':')) })
  }

  /** A try at an upstream that led to no answer. */
  attemptFailed(event: LedgerEvent): void {
    this.#attempts.inc({ upstream: event.upstream ?? 'unknown', status: event.status })
    this.#requests.noteHeadroom(event)
  }

  refused(dialect: DialectName | 'none', error: IncipitError): void {
    this.#refused.inc({ dialect, code: error.code })
  }

  /** A limit of ours refused a request; `kind` is one of a few names, such as `rpm` or `budget`. */
  limited(kind: string): void {
    this.#limited.inc({ kind })
  }

  lostEvent(rows = 1): void {
    this.#ledger.lost(rows)
  }

  /** Shows what a ledger counts from now on. */
  followLedger(counters: () => LedgerCounters): void {
    this.#ledger.follow(counters)
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
  async render(engine: EngineReading | undefined): Promise<string> {
    this.#requests.settle()
    this.#ledger.show()
    this.#inFlight.set(this.#served)
    if (engine !== undefined) {
      this.#engine.show(engine)
      this.#vllm?.show(engine)
    }
    const delay = this.#eventLoop.read()
    this.#delay.set({ quantile: '0.5' }, delay.p50Ms / 1000)
    this.#delay.set({ quantile: '0.99' }, delay.p99Ms / 1000)
    this.#delay.set({ quantile: '1' }, delay.maxMs / 1000)
    return this.#make.registry.metrics()
  }

  get contentType(): string {
    return this.#make.registry.contentType
  }

  close(): void {
    this.#eventLoop.close()
  }
}
