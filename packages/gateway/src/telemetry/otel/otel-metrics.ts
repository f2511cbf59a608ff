import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api'
import { picoUsd, usd } from '@incipit/core'
import type { LedgerEvent } from '../../ledger/port.ts'
import { BoundedNames } from '../bounded-names.ts'
import { outputRate } from '../request-metrics.ts'
import { operation, providerName } from './call-facts.ts'
import type { MetricKey, MetricName } from './gen-ai-names.ts'
import { formerTokenUsage, metricNames } from './gen-ai-names.ts'
import { named } from './named-attributes.ts'

const mostModels = 200

/** How long a call of a model took, and how it ended. */
export interface CallTimes {
  readonly seconds: number
  readonly firstChunkSeconds: number | undefined
  readonly errorType: string | undefined
}

/** The metrics of the conventions, from rows of the ledger. */
export class OtelMetrics {
  readonly #counters: Readonly<Record<string, Counter>>
  readonly #histograms: Readonly<Record<string, readonly Histogram[]>>
  readonly #latestOnly: boolean
  readonly #models = new BoundedNames(mostModels)

  constructor(meter: Meter, latestOnly: boolean) {
    this.#latestOnly = latestOnly
    const all: readonly [string, MetricName][] = Object.entries(metricNames)
    const ofKind = (kind: MetricName['kind']) => all.filter(([, metric]) => metric.kind === kind)
    this.#counters = Object.fromEntries(
      ofKind('counter').map(([key, { now, unit, description }]) => [
        key,
        meter.createCounter(now, { unit, description }),
      ]),
    )
    this.#histograms = {
      ...Object.fromEntries(ofKind('histogram').map(([key, metric]) => [key, histograms(meter, metric, latestOnly)])),
      formerTokenUsage: latestOnly ? [] : histograms(meter, formerTokenUsage, true),
    }
  }

  /** A call of a model that led to no answer. */
  callFailed(facts: { readonly provider: string; readonly model: string }, times: CallTimes): void {
    const call = this.#call(facts.provider, facts.model)
    this.#record('duration', times.seconds, { ...call, ...this.#error(times) })
  }

  /** The row of a request, and the call that made it. */
  answered(event: LedgerEvent, facts: { readonly provider: string; readonly model: string }, times: CallTimes): void {
    const provider = event.provider === undefined ? facts.provider : providerName(event.provider)
    const call = this.#call(provider, facts.model)
    this.#record('duration', times.seconds, { ...call, ...this.#error(times) })
    if (event.stream && times.firstChunkSeconds !== undefined) {
      this.#record('firstChunk', times.firstChunkSeconds, call)
    }
    this.#tokens(event, call)
    this.#money(event, call)
    if (event.upstream === 'engine') this.#engine(event, call, times)
  }

  #tokens(event: LedgerEvent, call: Attributes): void {
    const { inputTokens, cachedInputTokens, usage, upstream } = event
    // The local engine reads text only; what others count is not said by kind.
    const counted = {
      ...call,
      ...named({ modality: upstream === 'engine' ? 'text' : 'unknown' }, this.#latestOnly),
    }
    this.#add('inputTokens', inputTokens, counted)
    this.#add('readTokens', cachedInputTokens, counted)
    this.#add('outputTokens', usage.output, counted)
    for (const [ttl, count] of [
      ['5m', usage.write5m],
      ['30m', usage.write30m],
      ['1h', usage.write1h],
      ['12h', usage.write12h],
    ] as const) {
      this.#add('writeTokens', count, { ...counted, ...named({ ttl }, this.#latestOnly) })
    }
    for (const [type, key, count] of [
      ['input', 'inputPerCall', inputTokens],
      ['output', 'outputPerCall', usage.output],
    ] as const) {
      if (count === undefined) continue
      this.#record(key, count, call)
      this.#record('formerTokenUsage', count, { ...call, ...named({ tokenType: type }, this.#latestOnly) })
    }
  }

  #money({ cost, counterfactual }: LedgerEvent, call: Attributes): void {
    if (cost === undefined) return
    this.#add('cost', usd(picoUsd(cost)), call)
    this.#add('counterfactual', usd(picoUsd(counterfactual ?? cost)), call)
  }

  #engine(event: LedgerEvent, call: Attributes, times: CallTimes): void {
    this.#record('serverDuration', times.seconds, { ...call, ...this.#error(times) })
    if (times.firstChunkSeconds !== undefined) this.#record('serverFirstToken', times.firstChunkSeconds, call)
    const rate = outputRate(event)
    if (rate !== undefined) this.#record('serverPerToken', 1 / rate, call)
  }

  #call(provider: string, model: string): Attributes {
    return named({ operation, provider, requestModel: this.#models.of(model) }, this.#latestOnly)
  }

  #error({ errorType }: CallTimes): Attributes {
    return named({ errorType }, this.#latestOnly)
  }

  #add(key: MetricKey, amount: number | undefined, call: Attributes): void {
    if (amount !== undefined) this.#counters[key]?.add(amount, call)
  }

  #record(key: MetricKey | 'formerTokenUsage', value: number, call: Attributes): void {
    for (const histogram of this.#histograms[key] ?? []) histogram.record(value, call)
  }
}

function histograms(meter: Meter, { now, before, unit, description, buckets }: MetricName, latestOnly: boolean) {
  const names = before === undefined || latestOnly ? [now] : [now, before]
  const advice = buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }
  return names.map((name) => meter.createHistogram(name, { unit, description, ...advice }))
}
