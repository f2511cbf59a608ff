import { statfsSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { GenerationRequest, PromptReport } from '@incipit/core'
import { requestId } from '@incipit/core'
import type { Engine, EngineConfig } from '../engine.ts'
import { startEngine } from '../host/engine-process.ts'
import type { Model, ModelFacts } from '../native/contract.ts'
import { promptTokens } from '../template/prompt-tokenizer.ts'
import { dropPageCache } from './drop-page-cache.ts'
import type { BenchTier, TierBenchOptions, TierReport } from './measure-tiers.ts'
import { promptOfLength, requestOf } from './prompt-of-length.ts'

/** Tokens of a context beside the opening: the question and its answer, and where they are asked for other sessions. */
const tokensBeside = { alone: 2_048, crowded: 6_144 } as const
/** How often the tiers behind the KV buffer may hold all that: once from a prompt that is cold. */
const copies = 2

/** What was answered, and how long the first token took. */
export interface FirstToken {
  readonly ms: number
  readonly report: PromptReport
}

type Tokenise = (request: GenerationRequest) => Int32Array

/** An engine whose opening can be put into a tier of choice before a request is measured. */
export class TierEngine {
  readonly #config: EngineConfig
  readonly #signal: AbortSignal
  #engine: Engine
  #tokenise: Tokenise = () => new Int32Array(0)
  #nextId = 0

  private constructor(config: EngineConfig, engine: Engine, signal: AbortSignal) {
    this.#config = config
    this.#engine = engine
    this.#signal = signal
  }

  /** @throws Error in plain words when the machine has no room for it, or the model cannot be served */
  static async start(
    options: TierBenchOptions & { readonly folder: string; readonly facts: ModelFacts },
  ): Promise<TierEngine> {
    const { kvBytesPerToken, fileBytes } = options.facts
    const beside = options.tiers.includes('hot-crowded') ? tokensBeside.crowded : tokensBeside.alone
    const contextTokens = Math.max(...options.lengths) + beside
    const bytes = copies * contextTokens * kvBytesPerToken
    // Weights, the KV buffers of the engine and of the bare library, and blocks.
    checkRoom({ folder: options.folder, disk: bytes, memory: fileBytes + 2 * contextTokens * kvBytesPerToken + bytes })
    const config: EngineConfig = {
      models: [{ name: 'bench', path: options.path, aliases: [], contextTokens }],
      dataDir: options.folder,
      threads: options.threads ?? 'auto',
      flashAttention: options.flashAttention ?? 'auto',
      hotBytes: 'auto',
      ramBytes: bytes,
      diskBytes: bytes,
      minCachedTokens: 16,
      maxConcurrent: 8,
      maxQueued: 64,
    }
    return new TierEngine(config, await started(config), options.signal ?? new AbortController().signal)
  }

  get about(): Pick<TierReport, 'threads' | 'flashAttention'> {
    const [info] = this.#engine.models
    if (info === undefined) throw new Error('the engine serves no model')
    return { threads: info.threads, flashAttention: info.flashAttention }
  }

  /** Why nothing is reused for this model; `undefined` = its prefix cache works. */
  async prefixCacheOff(): Promise<string | undefined> {
    return (await this.#engine.stats()).models[0]?.prefixCacheOff
  }

  /** Side effect: prompts of others are made with this tokeniser too. */
  tokenising(model: Model): { readonly tokenise: Tokenise } {
    this.#tokenise = (request) => promptTokens(model, request)
    return { tokenise: this.#tokenise }
  }

  /**
   * Puts the opening into a tier, with nothing left to do behind the requests, and measures a request that goes on
   * from it.
   * @throws Error when it did not come from there
   */
  async fromTier(
    tier: BenchTier,
    prompts: { readonly first: GenerationRequest; readonly next: GenerationRequest; readonly shared: number },
  ): Promise<FirstToken> {
    const { first, next, shared } = prompts
    if (tier === 'cold') return this.#cold(next)
    await this.#bring(tier, first)
    await this.#settled()
    const answer = await this.firstToken(next)
    const { report } = answer
    const { hot, ram, disk } = report.tiers
    const from = tier.startsWith('hot') ? hot : tier === 'ram' ? ram : disk
    if (from < report.cachedTokens - 64 || report.cachedTokens < shared - 64) {
      throw new Error(`${tier}: ${shared} tokens are shared, cached were ${JSON.stringify(report.tiers)}`)
    }
    return answer
  }

  async firstToken(generation: GenerationRequest, scopeKey = 'bench'): Promise<FirstToken> {
    const begun = performance.now()
    const id = requestId(`req_${String(this.#nextId++).padStart(24, '0')}`)
    const request = { id, model: 'bench', scopeKey, generation, prefixCache: 'on' as const }
    let report: PromptReport | undefined
    let ms = Number.NaN
    for await (const event of this.#engine.generate(request, this.#signal)) {
      if (event.kind === 'prompt') report = event
      else if (Number.isNaN(ms)) ms = performance.now() - begun
    }
    if (report === undefined) throw new Error('the engine did not say what it did with a prompt')
    return { ms, report }
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  /** In a scope of its own nothing is known; what it leaves behind would only be in the way of others. */
  async #cold(next: GenerationRequest): Promise<FirstToken> {
    await this.#settled()
    const answer = await this.firstToken(next, 'cold')
    await this.#engine.reset({ scopePrefix: 'cold' })
    return answer
  }

  async #bring(tier: BenchTier, prompt: GenerationRequest): Promise<void> {
    if (tier === 'disk' || tier === 'disk-uncached') return this.#restart(tier)
    await this.firstToken(prompt)
    if (tier === 'hot-crowded') {
      await this.#crowd()
      await this.firstToken(prompt)
    }
    if (tier !== 'ram') return
    // Beside a request that does not share them, hardly any cells stay in the KV buffer, and the oldest go first.
    await this.#stranger(320)
    await this.#stranger(320)
  }

  async #restart(tier: BenchTier): Promise<void> {
    await this.#settled()
    await this.#engine.close()
    if (tier === 'disk-uncached') dropPageCache(this.#config.dataDir)
    this.#engine = await started(this.#config)
    // Weights and kernels are touched once, by a prompt of its own.
    await this.#stranger(64)
  }

  /** Four other sessions of 1,024 tokens. */
  async #crowd(): Promise<void> {
    for (let other = 0; other < 4; other++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as sessions come
      await this.firstToken(requestOf(promptOfLength(this.#tokenise, 1_024, 8)))
    }
  }

  async #stranger(tokens: number): Promise<void> {
    await this.firstToken(requestOf(promptOfLength(this.#tokenise, tokens, 8)), 'stranger')
  }

  /** Work behind the requests is over: nothing is being copied or written any more. */
  async #settled(): Promise<void> {
    for (let before = -1; ;) {
      this.#signal.throwIfAborted()
      // oxlint-disable-next-line no-await-in-loop -- this is waiting
      const [stats] = (await this.#engine.stats()).models
      const now = (stats?.disk.written ?? 0) + (stats?.ramBlocks ?? 0)
      if (now === before) return
      before = now
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
  }
}

/** @throws Error with the numbers where memory or disk are too small */
function checkRoom(needed: { readonly folder: string; readonly disk: number; readonly memory: number }): void {
  const { bavail, bsize } = statfsSync(needed.folder)
  const free = bavail * bsize
  if (needed.disk > free)
    throw new Error(`${needed.disk} bytes of disk are needed in ${needed.folder}, ${free} are free`)
  if (needed.memory > totalmem()) {
    throw new Error(`${needed.memory} bytes of memory are needed, the machine has ${totalmem()}: try shorter lengths`)
  }
}

async function started(config: EngineConfig): Promise<Engine> {
  const start = await startEngine(config)
  if (start.kind === 'unavailable') throw new Error(start.reason)
  return start.engine
}
