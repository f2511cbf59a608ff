import type { EngineModelStats, EngineStats } from '@incipit/engine'
import type { Instruments } from './instruments.ts'
import { showCount } from './instruments.ts'

const cacheTiers = ['hot', 'ram', 'disk'] as const

/** The engine as it is now. */
export interface EngineReading {
  readonly stats: EngineStats
  /** The model of which this is an instance. */
  readonly modelOf: (instance: string) => string
}

/** The local engine, as its process tells when somebody looks. */
export class EngineMetrics {
  readonly #gauges
  readonly #counters

  constructor(make: Instruments) {
    const byModel = ['model'] as const
    this.#gauges = {
      running: make.gauge('incipit_engine_requests_running', 'Generations running'),
      queued: make.gauge('incipit_engine_requests_queued', 'Generations waiting'),
      resident: make.gauge('incipit_engine_resident_bytes', 'Resident memory of the engine process'),
      budget: make.gauge('incipit_engine_budget_bytes', 'Memory the engine is allowed'),
      tokens: make.gauge('incipit_engine_cache_tokens', 'Tokens whose KV state is live', byModel),
      capacity: make.gauge('incipit_engine_cache_capacity_tokens', 'Tokens whose KV state may be live', byModel),
      ramBytes: make.gauge('incipit_engine_cache_ram_bytes', 'Bytes of blocks kept in RAM', byModel),
      diskBytes: make.gauge('incipit_engine_cache_disk_bytes', 'Bytes of blocks kept on disk', byModel),
      diskCapacity: make.gauge(
        'incipit_engine_cache_disk_capacity_bytes',
        'Bytes of blocks the disk may hold',
        byModel,
      ),
      ramCapacity: make.gauge('incipit_engine_cache_ram_capacity_bytes', 'Bytes of blocks that RAM may hold', byModel),
      pins: make.gauge('incipit_engine_pins', 'Prefixes kept on request', byModel),
      pinTokens: make.gauge('incipit_engine_pinned_tokens', 'Tokens of those, shared ones counted once', byModel),
    }
    this.#counters = {
      restarts: make.counter('incipit_engine_restarts_total', 'Restarts of the engine process'),
      prompt: make.counter('incipit_engine_prompt_tokens_total', 'Prompt tokens of generations', byModel),
      cached: make.counter('incipit_engine_cached_tokens_total', 'Of those, tokens found in the prefix cache', [
        'model',
        'tier',
      ]),
      evaluated: make.counter('incipit_engine_evaluated_tokens_total', 'Of those, tokens computed', byModel),
      generated: make.counter('incipit_engine_generated_tokens_total', 'Tokens generated', byModel),
      diskWritten: make.counter('incipit_engine_cache_disk_written_blocks_total', 'Blocks written to disk', byModel),
      diskRead: make.counter('incipit_engine_cache_disk_read_blocks_total', 'Blocks read from disk', byModel),
      diskDiscarded: make.counter(
        'incipit_engine_cache_disk_discarded_blocks_total',
        'Blocks on disk that were damaged and dropped',
        byModel,
      ),
      diskFailed: make.counter(
        'incipit_engine_cache_disk_failed_writes_total',
        'Writes of blocks that failed',
        byModel,
      ),
      diskEvicted: make.counter('incipit_engine_cache_disk_evicted_blocks_total', 'Blocks the disk gave up', byModel),
      pinsDropped: make.counter(
        'incipit_engine_pins_dropped_total',
        'Prefixes kept on request that were given up early for want of room',
        byModel,
      ),
      evicted: make.counter('incipit_engine_cache_evicted_tokens_total', 'Tokens the prefix cache gave up', byModel),
    }
  }

  show({ stats }: EngineReading): void {
    this.#gauges.running.set(stats.running)
    this.#gauges.queued.set(stats.queued)
    this.#gauges.resident.set(stats.residentBytes)
    this.#gauges.budget.set(stats.budgetBytes)
    for (const { name: model, hotTokens, hotCapacityTokens, ramBytes, ramCapacityBytes, pins } of stats.models) {
      this.#gauges.tokens.set({ model }, hotTokens)
      this.#gauges.capacity.set({ model }, hotCapacityTokens)
      this.#gauges.ramBytes.set({ model }, ramBytes)
      this.#gauges.ramCapacity.set({ model }, ramCapacityBytes)
      this.#gauges.pins.set({ model }, pins.count)
      this.#gauges.pinTokens.set({ model }, pins.tokens)
    }
    const disks = stats.models.filter(hasDiskOfItsOwn)
    // A model may be of a disk tier that another one shows by now.
    this.#gauges.diskBytes.reset()
    this.#gauges.diskCapacity.reset()
    for (const { name: model, disk } of disks) {
      this.#gauges.diskBytes.set({ model }, disk.bytes)
      this.#gauges.diskCapacity.set({ model }, disk.capacityBytes)
    }
    const ofModels = (count: (model: EngineModelStats) => number) =>
      stats.models.map((model) => ({ labels: { model: model.name }, value: count(model) }))
    showCount(this.#counters.restarts, [{ value: stats.restarts }])
    showCount(
      this.#counters.prompt,
      ofModels(({ promptTokens }) => promptTokens),
    )
    showCount(
      this.#counters.cached,
      stats.models.flatMap(({ name: model, tierTokens }) =>
        cacheTiers.map((tier) => ({ labels: { model, tier }, value: tierTokens[tier] })),
      ),
    )
    showCount(
      this.#counters.evaluated,
      ofModels(({ evaluatedTokens }) => evaluatedTokens),
    )
    showCount(
      this.#counters.generated,
      ofModels(({ generatedTokens }) => generatedTokens),
    )
    for (const [counter, count] of [
      [this.#counters.diskWritten, 'written'],
      [this.#counters.diskRead, 'read'],
      [this.#counters.diskDiscarded, 'discarded'],
      [this.#counters.diskEvicted, 'evicted'],
      [this.#counters.diskFailed, 'failedWrites'],
    ] as const) {
      showCount(
        counter,
        disks.map(({ name: model, disk }) => ({ labels: { model }, value: disk[count] })),
      )
    }
    showCount(
      this.#counters.evicted,
      ofModels(({ evictedTokens }) => evictedTokens),
    )
    showCount(
      this.#counters.pinsDropped,
      ofModels(({ pins }) => pins.dropped),
    )
  }
}

/** A disk tier that models share is shown by the first of them: its bytes and blocks are there once. */
function hasDiskOfItsOwn({ disk }: EngineModelStats, place: number, models: readonly EngineModelStats[]): boolean {
  return disk.store === undefined || models.findIndex((model) => model.disk.store === disk.store) === place
}
