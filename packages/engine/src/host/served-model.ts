import { availableParallelism } from 'node:os'
import { milliseconds, tokenCount } from '@incipit/core'
import type { CacheBuckets, GenerationRequest, PromptPlace } from '@incipit/core'
import type { DiskIdentity, DiskTier } from '../cache/disk/disk-tier.ts'
import { reservedSequences } from '../cache/cell-arena.ts'
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
import type { AnswerPlan, TemplateMarks } from '../output/answer-plan.ts'
import { planAnswer } from '../output/answer-plan.ts'
import { templateMarks } from '../output/template-marks.ts'
import type { ScheduledRequest, SchedulerSink } from '../schedule/request.ts'
import { Scheduler } from '../schedule/scheduler.ts'
import { promptPosition, promptTokens } from '../template/prompt-tokenizer.ts'
import { engineSettings } from '../threads.ts'
import type { DiskTierOrReason, DiskTiers } from './disk-tiers.ts'
import { planMemory } from './memory-plan.ts'
import type { MemoryPlan } from './memory-plan.ts'
import { checkPromptBound, promptBound } from './prompt-bound.ts'
import type { PromptBound } from './prompt-bound.ts'

/** Sequence ids of a context; each of a sliding-window model takes two (`WindowGuard`). */
const mostSequences = 256

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
  readonly #diskOff: string | undefined
  readonly #marks: TemplateMarks
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
    readonly diskOff: string | undefined
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
    this.#diskOff = parts.diskOff
    this.#marks = templateMarks(parts.model.facts.chatTemplate)
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
    const planned = planMemory(config, entry, facts)
    const { cells } = planned
    const sequences = sequencesOf(facts, config)
    const { threads, flashAttention } = config
    const chosen = engineSettings({ facts, cells, cores: availableParallelism(), threads, flashAttention })
    // There is no attention to be fast with, and what is left is exact without.
    const settings = facts.recurrent ? { ...chosen, flashAttention: false } : chosen
    const context = model.createContext({ ...settings, cells, sequences, yieldsCores: true })
    const keepsStates = facts.recurrent || facts.hybrid
    const plan = keepsStates
      ? withStates(planned, config, entry, { sequences, bytes: await stateBytesOf(context) })
      : planned
    const identity = { modelHash: facts.fileHash, stateFormat: context.stateFormat }
    const wholeStates = facts.recurrent && !facts.hybrid
    const disk = keepsStates ? 'its state is no block of tokens' : await diskOf(options.disks, plan, identity)
    const files = wholeStates ? options.disks.checkpointsOf(identity, plan.ramBytes) : undefined
    const cache = new KvCache({
      context,
      sequences,
      modelHash: facts.fileHash,
      minCachedTokens: config.minCachedTokens,
      ramBytes: plan.ramBytes,
      disk: typeof disk === 'string' ? undefined : disk,
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
      uncacheable: whyUncacheable(facts, plan),
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
    }
    const embedding = embeddingSize(facts, plan.contextTokens)
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
      diskOff: typeof files === 'string' ? files : typeof disk === 'string' ? disk : undefined,
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

  /** Memory of the context for embeddings, once it is there. */
  get embedderBytes(): number {
    return this.embedder.isOpen ? this.#embedding.bytes : 0
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
   * What an answer to a request may look like.
   * @throws IncipitError naming the pointer of what cannot be kept to
   */
  planAnswer(generation: GenerationRequest): AnswerPlan {
    return planAnswer(generation, this.#marks)
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
      disk: diskStats(cache.checkpoints?.files ?? cache.ram.disk, this.#diskOff),
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

/** State of recurrent models takes memory for each sequence, used or not; other models share cells. */
function sequencesOf({ recurrent, hybrid, slidingWindow }: ModelFacts, { maxConcurrent }: EngineConfig): number {
  if (recurrent || hybrid) return Math.min(mostSequences, reservedSequences.count + maxConcurrent + 1)
  return slidingWindow > 0 ? mostSequences / 2 : mostSequences
}

/** Bytes of the state of one sequence: those of one behind a single token. */
async function stateBytesOf(context: Context): Promise<number> {
  const { batch } = context
  batch.tokens[0] = 0
  batch.positions[0] = 0
  batch.sequences[0] = reservedSequences.scratch
  batch.wantsLogits[0] = 1
  await context.decode(1)
  const bytes = context.stateBytes(reservedSequences.scratch)
  context.removeSequence(reservedSequences.scratch, 0, -1)
  return bytes
}

/** @throws Error with the numbers when the states do not fit their share */
function withStates(
  plan: MemoryPlan,
  { hotBytes, models }: EngineConfig,
  { name }: EngineModelConfig,
  states: { readonly sequences: number; readonly bytes: number },
): MemoryPlan {
  const kvBytes = plan.kvBytes + states.sequences * states.bytes
  const allowed = hotBytes === 'auto' ? Infinity : Math.floor(hotBytes / models.length)
  if (kvBytes <= allowed) return { ...plan, kvBytes }
  const needed = `${states.sequences} states of ${states.bytes} bytes, ${kvBytes} bytes in all`
  throw new Error(`model "${name}" needs ${needed}, ${allowed} allowed (engine.hot_bytes, engine.max_concurrent)`)
}

async function diskOf(disks: DiskTiers, { ramBytes }: MemoryPlan, identity: DiskIdentity): Promise<DiskTierOrReason> {
  return ramBytes === 0 ? 'ram_bytes is 0: blocks reach the disk through RAM' : disks.of(identity)
}

function diskStats(
  disk: Pick<DiskTier, 'store' | 'bytes' | 'capacityBytes' | 'blocks' | 'counters'> | undefined,
  off: string | undefined,
): EngineDiskStats {
  if (disk === undefined) return { ...noDisk, off }
  const { store, bytes, capacityBytes, blocks } = disk
  return { ...disk.counters, store, bytes, capacityBytes, blocks, off: undefined }
}

const noDisk: Omit<EngineDiskStats, 'off'> = {
  store: undefined,
  bytes: 0,
  capacityBytes: 0,
  blocks: 0,
  restored: 0,
  discarded: 0,
  written: 0,
  read: 0,
  evicted: 0,
  failedWrites: 0,
}

/** State of these models cannot be cut at any token and give the same logits. */
function whyUncacheable({ recurrent, hybrid }: ModelFacts, { ramBytes }: MemoryPlan): string | undefined {
  if (hybrid) return 'hybrid model: its state cannot be cut at a token'
  if (recurrent && ramBytes === 0) return 'recurrent model: its states are kept in RAM, and ram_bytes is 0'
  return undefined
}
