import type { GenerationEvent, GenerationRequest, RequestId, TokenCount } from '@incipit/core'

/** One model the engine serves. */
export interface EngineModelConfig {
  readonly name: string
  /** Path of a GGUF file, or `builtin:demo`. */
  readonly path: string
  /** Globs of further names this model answers to; `*` matches any characters. */
  readonly aliases: readonly string[]
  /** Context length in tokens; `undefined` = what the model was trained for, as far as the budget allows. */
  readonly contextTokens?: number | undefined
}

/** What the engine is started with. Byte budgets are hard: the engine never plans above them. */
export interface EngineConfig {
  readonly models: readonly EngineModelConfig[]
  /** Where the built-in model, hashes and later disk blocks live. */
  readonly dataDir: string
  /** `auto` = chosen by model size and cores; see `docs/engine.md`. */
  readonly threads: 'auto' | number
  /**
   * `off`: cached and cold prompts give the same bits. `on`: cold prompts of larger models are faster,
   * and the last bits may depend on how a prompt was cut into batches. `auto`: off for tiny models.
   */
  readonly flashAttention: 'auto' | 'on' | 'off'
  /** Live KV over all models. */
  readonly hotBytes: 'auto' | number
  /** Pooled blocks in RAM over all models; 0 = no RAM tier. */
  readonly ramBytes: number
  /** Below this many shared tokens nothing is reused and 0 is reported. */
  readonly minCachedTokens: number
  /** Requests generating at the same time. */
  readonly maxConcurrent: number
  /** Requests waiting for a place; one more is refused as `overloaded`. */
  readonly maxQueued: number
}

export interface EngineModelInfo {
  readonly name: string
  readonly aliases: readonly string[]
  readonly path: string
  /** SHA-256 of the model file, hex: caches are tied to it (P-5). */
  readonly fileHash: string
  readonly contextTokens: TokenCount
  readonly parameters: number
  readonly kvBytesPerToken: number
  /** Random weights: real compute, meaningless text. */
  readonly synthetic: boolean
  readonly threads: { readonly decode: number; readonly prefill: number }
  /** Whether flash attention is on: off means that reuse is exact to the bit. */
  readonly flashAttention: boolean
}

export interface EngineRequest {
  readonly id: RequestId
  readonly model: string
  /** `IsolationScope.key`: part of every cache key. */
  readonly scopeKey: string
  readonly generation: GenerationRequest
  /** `off`: full prefill, nothing read and nothing stored. */
  readonly prefixCache: 'on' | 'off'
}

/** What a reset selects; every given field must match. No field = everything. */
export interface ResetSelector {
  readonly model?: string | undefined
  /** What the scope keys begin with: `IsolationScope.prefixOf`, or a whole key. */
  readonly scopePrefix?: string | undefined
}

/** How much a reset dropped, per tier. */
export interface ResetReport {
  readonly hotTokens: TokenCount
  readonly ramTokens: TokenCount
  readonly diskTokens: TokenCount
  readonly bytes: number
}

/** A snapshot of the engine's state, for metrics, `doctor` and the console. */
export interface EngineStats {
  readonly models: readonly EngineModelStats[]
  readonly running: number
  readonly queued: number
  /** Resident set of the engine process, and the budget it was given. */
  readonly residentBytes: number
  readonly budgetBytes: number
  readonly restarts: number
}

export interface EngineModelStats {
  readonly name: string
  readonly hotTokens: number
  readonly hotCapacityTokens: number
  readonly ramBytes: number
  readonly ramCapacityBytes: number
  readonly ramBlocks: number
  /** Counters since start, in tokens. */
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly evaluatedTokens: number
  readonly generatedTokens: number
  readonly evictedTokens: number
  /** Why nothing is reused for this model; `undefined` = its prefix cache works. */
  readonly prefixCacheOff: string | undefined
}

/**
 * The local engine. It lives in a process of its own: the event loop of the caller stays free, and a
 * native crash restarts the engine, not the server.
 */
export interface Engine {
  readonly models: readonly EngineModelInfo[]
  /** Whether its process is up with its models loaded; false while it restarts. Requests then wait for it a while. */
  readonly ready: boolean
  /**
   * Generates one answer. Aborting `signal` frees the sequence at once.
   * @throws IncipitError `context_overflow`, `overloaded`, `engine_failed`, `invalid_request`, `unknown_model`
   */
  generate(request: EngineRequest, signal: AbortSignal): AsyncIterable<GenerationEvent>
  /**
   * The exact tokens a request would evaluate, without evaluating them. This and the questions below
   * throw IncipitError `engine_failed` when the process does not answer in time.
   */
  tokenize(model: string, generation: GenerationRequest): Promise<Int32Array>
  reset(selector: ResetSelector): Promise<ResetReport>
  stats(): Promise<EngineStats>
  close(): Promise<void>
}
