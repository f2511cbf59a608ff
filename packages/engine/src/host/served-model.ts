import { availableParallelism } from 'node:os'
import { milliseconds, tokenCount } from '@incipit/core'
import type { CacheBuckets, GenerationRequest, PromptPlace } from '@incipit/core'
import { blockTokens } from '../cache/block-key.ts'
import { blockWeights } from '../cache/block-weight.ts'
import { DiskTier } from '../cache/disk/disk-tier.ts'
import { PinFile } from '../cache/disk/pin-file.ts'
import { reservedSequences } from '../cache/cell-arena.ts'
import type { CheckpointFiles } from '../cache/checkpoint/checkpoint-files.ts'
import { CheckpointStore } from '../cache/checkpoint/checkpoint-store.ts'
import type { CacheReset } from '../cache/kv-cache.ts'
import { KvCache } from '../cache/kv-cache.ts'
import { PromptHistory } from '../controls/prompt-history.ts'
import { ProviderCounter } from '../controls/provider-counter.ts'
import { embeddingTokens } from '../embed/embedding-tokens.ts'
import type { EmbeddingSize } from '../embed/embedding-size.ts'
import { embeddingSize } from '../embed/embedding-size.ts'
import { Embedder } from '../embed/embedder.ts'
import type {
  EmbeddingRequest,
  EngineConfig,
  EngineDiskStats,
  EngineModelConfig,
  EngineModelInfo,
  EngineModelStats,
  EngineRequest,
} from '../engine.ts'
import type { Context, Model, ModelFacts } from '../native/contract.ts'
import { isPurelyRecurrent, keepsWholeStates, mostSequences, sequencesBelow } from '../native/sequence-count.ts'
import type { AnswerPlan, TemplateMarks } from '../output/answer-plan.ts'
import { AnswerPlanner } from '../output/answer-plan.ts'
import { marksBehind, templateMarks } from '../output/template-marks.ts'
import type { ScheduledRequest, SchedulerSink } from '../schedule/request.ts'
import { Scheduler } from '../schedule/scheduler.ts'
import { promptPosition, promptTokens, templateTraitsOf } from '../template/prompt-tokenizer.ts'
import { templateReport } from '../template/template-report.ts'
import type { EngineSettings } from '../threads.ts'
import { engineSettings } from '../threads.ts'
import type { DiskTierOrReason, DiskTiers, StoreOptions } from './disk-tiers.ts'
import { planMemory } from './memory-plan.ts'
import type { MemoryPlan } from './memory-plan.ts'
import { checkPromptBound, promptBound } from './prompt-bound.ts'
import type { PromptBound } from './prompt-bound.ts'
import { scratchBytes } from './scratch-bytes.ts'
import { probeStates } from './state-probe.ts'
import type { StateProbe } from './state-probe.ts'
import { checkTiers } from './tier-check.ts'

/** Rows of logits that a context keeps, where its requests need no more. */
const mostLogitBytes = 32 * 1024 * 1024

/** What a request asks of the cache, as the scheduler takes it. */
type CacheControls = Pick<ScheduledRequest, 'pins' | 'count' | 'diagnosis'>

/** A model with a context of its own, ready to generate. */
export class ServedModel {
  readonly info: EngineModelInfo
  readonly model: Model
  readonly plan: MemoryPlan
  readonly scheduler: Scheduler
  readonly cache: KvCache
  readonly embedder: Embedder
  readonly #embedding: EmbeddingSize
  readonly #context: Context
  readonly #bound: PromptBound
  readonly #scratch: { readonly answers: number; readonly embeddings: number }
  readonly #marks: TemplateMarks
  readonly #planner: AnswerPlanner
  readonly #counter: ProviderCounter = new ProviderCounter()
  readonly #history: PromptHistory = new PromptHistory()

  private constructor(parts: {
    readonly info: EngineModelInfo
    readonly model: Model
    readonly plan: MemoryPlan
    readonly scheduler: Scheduler
    readonly cache: KvCache
    readonly embedder: Embedder
    readonly embedding: EmbeddingSize
    readonly context: Context
    readonly bound: PromptBound
    readonly scratch: { readonly answers: number; readonly embeddings: number }
    readonly marks: TemplateMarks
  }) {
    this.info = parts.info
    this.model = parts.model
    this.plan = parts.plan
    this.scheduler = parts.scheduler
    this.cache = parts.cache
    this.embedder = parts.embedder
    this.#embedding = parts.embedding
    this.#context = parts.context
    this.#bound = parts.bound
    this.#scratch = parts.scratch
    this.#marks = parts.marks
    this.#planner = new AnswerPlanner(parts.marks)
  }

  /** @throws Error in plain words when the model does not fit its share of the budgets */
  static async start(options: {
    readonly config: EngineConfig
    readonly entry: EngineModelConfig
    readonly model: Model
    readonly sink: SchedulerSink
    readonly disks: DiskTiers
  }): Promise<ServedModel> {
    const { config, entry, model, sink } = options
    const { facts } = model
    const sequences = sequencesOf(facts, config)
    const wholeStates = keepsWholeStates(facts)
    const settingsFor = (cells: number): EngineSettings => settingsOf(config, facts, cells)
    const probe = wholeStates ? await probeStates(model, settingsFor(0)) : undefined
    const states = { sequences: sequencesBelow(facts, sequences), bytes: probe?.bytes ?? 0 }
    const plan = planMemory(config, entry, facts, states)
    const { cells } = plan
    const settings = settingsFor(cells)
    const uncacheable = whyUncacheable(facts, { plan, settings, probe })
    if (uncacheable === undefined) checkTiers(config, entry, { facts, stateBytes: states.bytes })
    const context = model.createContext({ ...settings, cells, sequences, yieldsCores: true })
    const identity = { modelHash: facts.fileHash, stateFormat: context.stateFormat, weightOf: blockWeights(facts) }
    const disk = wholeStates ? 'its state is no block of tokens' : await diskOf(options.disks, plan, identity)
    const files = wholeStates ? options.disks.checkpointsOf(identity, plan.ramBytes) : undefined
    const cache = new KvCache({
      context,
      sequences,
      modelHash: facts.fileHash,
      minCachedTokens: config.minCachedTokens,
      ramBytes: plan.ramBytes,
      disk: typeof disk === 'string' ? undefined : disk,
      pinFile: typeof disk === 'string' ? undefined : new PinFile(disk.directory, entry.name),
      weightOf: identity.weightOf,
      hotCells: plan.hotCells,
      checkpoints: wholeStates
        ? new CheckpointStore({
            context,
            model,
            modelHash: facts.fileHash,
            capacityBytes: plan.ramBytes,
            files: typeof files === 'string' ? undefined : files,
          })
        : undefined,
      placesCells: !isPurelyRecurrent(facts),
      uncacheable,
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
      maxConcurrent: Math.min(config.maxConcurrent, settings.batchTokens, sequences - reservedSequences.count),
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
      template: templateReport(model),
      // Whole states have files of their own, and are no blocks.
      diskOff: reasonIn(wholeStates ? files : disk),
    }
    const embedding = embeddingSize(facts, plan.contextTokens, states.bytes)
    const { batchTokens } = embedding
    const embedder = new Embedder({
      facts,
      ...embedding,
      maxQueued: config.maxQueued,
      open: (size) => model.createContext({ ...settings, ...size, batchTokens, embeddings: true, yieldsCores: true }),
    })
    const bound = promptBound(model, plan.contextTokens)
    if (typeof disk !== 'string') disk.yieldTo(() => scheduler.running > 0)
    return new ServedModel({
      info,
      model,
      plan,
      scheduler,
      cache,
      embedder,
      embedding,
      context,
      bound,
      scratch: {
        answers: scratchBytes(facts, { ...settings, cells, sequences: sequencesBelow(facts, sequences) }),
        // Its rows of logits and vectors are in its size.
        embeddings: scratchBytes(facts, { ...settings, batchTokens, cells: embedding.maxTokens, sequences: 0 }),
      },
      marks: marksOf(model),
    })
  }

  /**
   * The exact tokens a request would evaluate.
   * @throws IncipitError `context_overflow` when it cannot fit, `invalid_request` when the template refuses it
   */
  promptTokens(generation: GenerationRequest): Int32Array {
    checkPromptBound(generation, this.#bound)
    return promptTokens(this.model, generation)
  }

  /**
   * The tokens of inputs to embed.
   * @throws IncipitError `invalid_request` naming the input that is none, or too much in all
   */
  inputTokens(inputs: EmbeddingRequest['inputs']): readonly Int32Array[] {
    return embeddingTokens(this.model, inputs, this.#embedding)
  }

  /** Memory that its contexts work in, beside KV and states. */
  get scratchBytes(): number {
    return this.embedder.isOpen ? this.#scratch.answers + this.#scratch.embeddings : this.#scratch.answers
  }

  /** Memory of the context for embeddings, once it is there. */
  get embedderBytes(): number {
    return this.embedder.isOpen ? this.#embedding.bytes : 0
  }

  /** Memory of what decides which block goes; the more, the more blocks have been seen. */
  get policyBytes(): number {
    return this.cache.ram.policyBytes
  }

  /**
   * What a request asks of the cache, for a prompt of these tokens: pins, and how its provider would count it.
   * Nothing where it is not to be cached, or nothing of this model can be.
   */
  controls(request: EngineRequest, prompt: Int32Array, at: number): CacheControls {
    const { id, generation, scopeKey: scope, prefixCache, pinId } = request
    const { cache } = generation
    if (cache === undefined || prefixCache === 'off' || this.cache.disabled !== undefined) return {}
    const position = (place: PromptPlace): number => promptPosition(this.model, { generation, tokens: prompt }, place)
    let tools: number | undefined
    // Some templates write tools behind the first message: what comes after both is after the tools.
    const positionOf = (place: PromptPlace): number => {
      if (place.kind === 'tool' || generation.tools.length === 0) return position(place)
      tools ??= position({ kind: 'tool', index: generation.tools.length - 1 })
      return Math.max(tools, position(place))
    }
    const pins = cache.pins.map(({ place, ttlMs }) => {
      return { id: pinId, tokens: positionOf(place), ttlMs, refreshes: pinId === undefined }
    })
    if (cache.provider === undefined) return { pins }
    const { provider } = cache
    const reading = this.#counter.lookUp({ scope, tokens: prompt, provider, position: positionOf, at })
    const compared = { scope, tokens: prompt.length, provider }
    const diagnosis = this.#history.compare(compared, positionOf)
    const count = (reused: number): CacheBuckets => {
      this.#history.remember(id, compared, positionOf)
      return reading.settle(reused)
    }
    return { pins, count, diagnosis }
  }

  /** Drops cached prefixes, and what a provider would have of them. */
  async reset(scopePrefix: string): Promise<CacheReset> {
    this.#counter.reset(scopePrefix)
    this.#history.reset(scopePrefix)
    return this.scheduler.reset(scopePrefix)
  }

  /**
   * What an answer to a request may look like, behind the tokens of its prompt.
   * @throws IncipitError naming the pointer of what cannot be kept to
   */
  planAnswer(generation: GenerationRequest, prompt: Int32Array): AnswerPlan {
    const { thinking } = marksBehind(this.#marks, this.model, prompt)
    return this.#planner.plan(generation, thinking)
  }

  stats(): EngineModelStats {
    const { cache, scheduler, plan } = this
    return {
      name: this.info.name,
      running: scheduler.running,
      queued: scheduler.queued,
      hotTokens: cache.tree.cells,
      hotHeldTokens: cache.heldTokens,
      hotCapacityTokens: cache.maxTokens,
      ramBytes: cache.checkpoints?.bytes ?? cache.ram.pool.bytes,
      ramCapacityBytes: plan.ramBytes,
      ramBlocks: cache.checkpoints?.size ?? cache.ram.pool.size,
      ramTokens: cache.wholeStates ? undefined : cache.ram.pool.size * blockTokens,
      disk: diskStats(cache.checkpoints?.files ?? cache.ram.disk, this.info.diskOff),
      ...scheduler.counters,
      evictedTokens: cache.evictedTokens,
      pins: { count: cache.pins.size, tokens: cache.pins.tokens, dropped: cache.pins.dropped },
      prefixCacheOff: cache.disabled,
    }
  }

  close(): void {
    this.embedder.close()
    this.#context.close()
  }
}

/** A model whose template cannot be used is served all the same, for embeddings: every prompt says why. */
function marksOf(model: Model): TemplateMarks {
  return templateMarks(model.facts.chatTemplate, templateTraitsOf(model)?.toolDefinitions)
}

/**
 * State of recurrent layers takes memory for each sequence, used or not; what has cells shares them. But for each there
 * is a row of logits as well: a large vocabulary has fewer.
 */
function sequencesOf(facts: ModelFacts, { maxConcurrent }: EngineConfig): number {
  const most = mostSequences(facts)
  const least = Math.min(most, reservedSequences.count + maxConcurrent + 1)
  if (keepsWholeStates(facts)) return least
  const rowBytes = Float32Array.BYTES_PER_ELEMENT * facts.vocabularySize * sequencesBelow(facts, 1)
  return Math.max(least, Math.min(most, Math.floor(mostLogitBytes / rowBytes)))
}

/** Models with recurrent layers have little attention or none: what they have is exact where nobody asks for more. */
function settingsOf(config: EngineConfig, facts: ModelFacts, cells: number): EngineSettings {
  const { threads } = config
  const flashAttention = facts.hybrid && config.flashAttention === 'auto' ? 'off' : config.flashAttention
  const settings = engineSettings({ facts, cells, cores: availableParallelism(), threads, flashAttention })
  return isPurelyRecurrent(facts) ? { ...settings, flashAttention: false } : settings
}

async function diskOf(disks: DiskTiers, { ramBytes }: MemoryPlan, identity: StoreOptions): Promise<DiskTierOrReason> {
  return ramBytes === 0 ? 'ram_bytes is 0: blocks reach the disk through RAM' : disks.of(identity)
}

function reasonIn(tier: DiskTierOrReason | CheckpointFiles | undefined): string | undefined {
  return typeof tier === 'string' ? tier : undefined
}

function diskStats(disk: DiskTier | CheckpointFiles | undefined, off: string | undefined): EngineDiskStats {
  if (disk === undefined) return { ...noDisk, off }
  const { store, bytes, capacityBytes, blocks } = disk
  const tokens = disk instanceof DiskTier ? blocks * blockTokens : undefined
  return { ...disk.counters, store, bytes, capacityBytes, blocks, tokens, off: undefined }
}

const noDisk: Omit<EngineDiskStats, 'off'> = {
  store: undefined,
  bytes: 0,
  capacityBytes: 0,
  blocks: 0,
  tokens: 0,
  restored: 0,
  discarded: 0,
  written: 0,
  read: 0,
  evicted: 0,
  failedWrites: 0,
}

/** Why a model reuses nothing; `undefined` = it does. */
function whyUncacheable(
  { recurrent, hybrid, slidingWindow }: ModelFacts,
  at: { readonly plan: MemoryPlan; readonly settings: EngineSettings; readonly probe: StateProbe | undefined },
): string | undefined {
  if (!recurrent && !hybrid) return undefined
  const kind = hybrid ? 'hybrid model' : 'recurrent model'
  if (hybrid && slidingWindow > 0) return `${kind} with a sliding window: its state cannot be cut at a token`
  if (at.plan.ramBytes === 0) return `${kind}: its states are kept in RAM, and ram_bytes is 0`
  // With flash attention nothing is exact to the bit.
  const inexact = at.settings.flashAttention ? undefined : at.probe?.inexact
  return inexact && `${kind}: ${inexact}`
}
