import type { EngineModelStats } from '@incipit/engine'
import type { LedgerEvent } from '../ledger/port.ts'
import type { EngineReading } from './engine-metrics.ts'
import type { Instruments } from './instruments.ts'
import { showCount } from './instruments.ts'

/** Seconds; those of vLLM, so that panels and alerts on quantiles read alike. */
const ttftBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2_560,
]

/**
 * Local models under the names and with the meanings of vLLM's metrics, for dashboards and routers that know those.
 * Instances of one model are summed up.
 */
export class VllmMetrics {
  readonly #gauges
  readonly #counters
  readonly #ttft

  constructor(make: Instruments) {
    const byModel = ['model_name'] as const
    this.#gauges = {
      running: make.gauge('vllm:num_requests_running', 'Requests in model execution batches', byModel),
      waiting: make.gauge('vllm:num_requests_waiting', 'Requests waiting to be processed', byModel),
      usage: make.gauge('vllm:kv_cache_usage_perc', 'KV cache held by running requests, 1 = all of it', byModel),
    }
    this.#counters = {
      queries: make.counter('vllm:prefix_cache_queries_total', 'Tokens looked up in the prefix cache', byModel),
      hits: make.counter('vllm:prefix_cache_hits_total', 'Tokens found in the prefix cache', byModel),
      prompt: make.counter('vllm:prompt_tokens_total', 'Prompt tokens processed, cached ones included', byModel),
      generation: make.counter('vllm:generation_tokens_total', 'Tokens generated', byModel),
    }
    this.#ttft = make.histogram({
      name: 'vllm:time_to_first_token_seconds',
      help: 'Request received to first token',
      labelNames: byModel,
      buckets: ttftBuckets,
    })
  }

  /** A row of the ledger: its time, where a local model answered. */
  observe({ kind, upstream, servedModel, ttftMs }: LedgerEvent): void {
    if (kind !== 'request' || upstream !== 'engine' || servedModel === undefined || ttftMs === undefined) return
    this.#ttft.observe({ model_name: servedModel }, ttftMs / 1_000)
  }

  show({ stats, modelOf }: EngineReading): void {
    const instances = new Map<string, EngineModelStats[]>()
    for (const instance of stats.models) {
      const model = modelOf(instance.name)
      instances.set(model, [...(instances.get(model) ?? []), instance])
    }
    const sums = [...instances].map(([model_name, of]) => {
      const sum = (count: (instance: EngineModelStats) => number): number =>
        of.reduce((total, instance) => total + count(instance), 0)
      return { labels: { model_name }, sum }
    })
    for (const { labels, sum } of sums) {
      this.#gauges.running.set(
        labels,
        sum(({ running }) => running),
      )
      this.#gauges.waiting.set(
        labels,
        sum(({ queued }) => queued),
      )
      const capacity = sum(({ hotCapacityTokens }) => hotCapacityTokens)
      const held = sum(({ hotHeldTokens }) => hotHeldTokens)
      this.#gauges.usage.set(labels, capacity === 0 ? 0 : held / capacity)
    }
    for (const [counter, count] of [
      [this.#counters.queries, 'queriedTokens'],
      [this.#counters.hits, 'cachedTokens'],
      [this.#counters.prompt, 'promptTokens'],
      [this.#counters.generation, 'generatedTokens'],
    ] as const) {
      showCount(
        counter,
        sums.map(({ labels, sum }) => ({ labels, value: sum((instance) => instance[count]) })),
      )
    }
  }
}
