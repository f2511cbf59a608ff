import { availableParallelism } from 'node:os'
import { milliseconds, tokenCount } from '@incipit/core'
import type { GenerationRequest } from '@incipit/core'
import { KvCache } from '../cache/kv-cache.ts'
import type { EngineConfig, EngineModelConfig, EngineModelInfo, EngineModelStats } from '../engine.ts'
import type { Context, Model, ModelFacts } from '../native/contract.ts'
import type { SchedulerSink } from '../schedule/request.ts'
import { Scheduler } from '../schedule/scheduler.ts'
import { promptTokens } from '../template/prompt-tokenizer.ts'
import { engineSettings } from '../threads.ts'
import { planMemory } from './memory-plan.ts'
import type { MemoryPlan } from './memory-plan.ts'
import { checkPromptBound, promptBound } from './prompt-bound.ts'
import type { PromptBound } from './prompt-bound.ts'

const sequences = 256

/** A model with a context of its own, ready to generate. */
export class ServedModel {
  readonly info: EngineModelInfo
  readonly model: Model
  readonly plan: MemoryPlan
  readonly scheduler: Scheduler
  readonly cache: KvCache
  readonly #context: Context
  readonly #bound: PromptBound

  private constructor(parts: {
    readonly info: EngineModelInfo
    readonly model: Model
    readonly plan: MemoryPlan
    readonly scheduler: Scheduler
    readonly cache: KvCache
    readonly context: Context
    readonly bound: PromptBound
  }) {
    this.info = parts.info
    this.model = parts.model
    this.plan = parts.plan
    this.scheduler = parts.scheduler
    this.cache = parts.cache
    this.#context = parts.context
    this.#bound = parts.bound
  }

  /** @throws Error in plain words when the model does not fit its share of the budgets */
  static async start(options: {
    readonly config: EngineConfig
    readonly entry: EngineModelConfig
    readonly model: Model
    readonly sink: SchedulerSink
  }): Promise<ServedModel> {
    const { config, entry, model, sink } = options
    const { facts } = model
    const plan = planMemory(config, entry, facts)
    const { cells } = plan
    const { threads, flashAttention } = config
    const settings = engineSettings({ facts, cells, cores: availableParallelism(), threads, flashAttention })
    const context = model.createContext({ ...settings, cells, sequences, yieldsCores: true })
    const cache = new KvCache({
      context,
      sequences,
      modelHash: facts.fileHash,
      minCachedTokens: config.minCachedTokens,
      ramBytes: plan.ramBytes,
      hotCells: plan.hotCells,
      uncacheable: whyUncacheable(facts),
    })
    await cache.start()
    const scheduler = new Scheduler({
      model,
      context,
      cache,
      sink,
      // With flash attention the kernels change with the batch in other ways too.
      exact: !settings.flashAttention,
      contextTokens: Math.min(plan.contextTokens, cache.maxTokens),
      maxConcurrent: Math.min(config.maxConcurrent, settings.batchTokens),
      maxQueued: config.maxQueued,
      monotonic: () => milliseconds(performance.now()),
    })
    const info: EngineModelInfo = {
      name: entry.name,
      aliases: entry.aliases,
      path: entry.path,
      fileHash: facts.fileHash,
      contextTokens: tokenCount(plan.contextTokens),
      parameters: facts.parameters,
      kvBytesPerToken: facts.kvBytesPerToken,
      synthetic: facts.synthetic,
      threads: settings.threads,
      flashAttention: settings.flashAttention,
    }
    const bound = promptBound(model, plan.contextTokens)
    return new ServedModel({ info, model, plan, scheduler, cache, context, bound })
  }

  /**
   * The exact tokens a request would evaluate.
   * @throws IncipitError `context_overflow` when it cannot fit, `invalid_request` when the template refuses it
   */
  promptTokens(generation: GenerationRequest): Int32Array {
    checkPromptBound(generation, this.#bound)
    return promptTokens(this.model, generation)
  }

  stats(): EngineModelStats {
    const { cache, scheduler, plan } = this
    return {
      name: this.info.name,
      hotTokens: cache.tree.cells,
      hotCapacityTokens: cache.maxTokens,
      ramBytes: cache.ram.pool.bytes,
      ramCapacityBytes: plan.ramBytes,
      ramBlocks: cache.ram.pool.size,
      ...scheduler.counters,
      evictedTokens: cache.evictedTokens,
      prefixCacheOff: cache.disabled,
    }
  }

  close(): void {
    this.#context.close()
  }
}

/** State of these models cannot be cut at any token and give the same logits. */
function whyUncacheable(facts: ModelFacts): string | undefined {
  if (facts.recurrent) return 'recurrent model: its state cannot be cut at a token'
  if (facts.hybrid) return 'hybrid model: its state cannot be cut at a token'
  if (facts.slidingWindow > 0) return `sliding-window attention of ${facts.slidingWindow} tokens`
  return undefined
}
