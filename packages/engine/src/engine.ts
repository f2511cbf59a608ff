import type { EpochMs, GenerationEvent, GenerationRequest, RequestId, TokenCount } from '@incipit/core'

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
  /** Where the built-in model, hashes and disk blocks live. */
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
  /** Blocks on disk over all models, which survive restarts; 0 = no disk tier. Needs a RAM tier. */
  readonly diskBytes: number
  /** Below this many shared tokens nothing is reused and 0 is reported. */
  readonly minCachedTokens: number
  /** Requests generating at the same time. */
  readonly maxConcurrent: number
  /** Requests waiting for a place; one more is refused as `overloaded`. */
  readonly maxQueued: number
  /** Milliseconds without a sign of life after which the engine process is ended and started again; 120,000 where left out. */
  readonly hangMs?: number | undefined
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
  /** What its chat template does to prefixes. */
  readonly template: TemplateReport
  /** Why it has no disk tier since the process was started; `undefined` = it has one. */
  readonly diskOff: string | undefined
}

/** What a chat template does to prefixes, measured when the model is loaded. */
export interface TemplateReport {
  /** For people to read. */
  readonly family: string
  /** What of a conversation is evaluated again though nothing before it is new. */
  readonly warnings: readonly TemplateWarning[]
  /** How conversations are fitted to the template. */
  readonly notes: readonly string[]
}

export interface TemplateWarning {
  /**
   * What changes the prompt: a switch of the client, the next turn (`turns`), or the next turn of a conversation with
   * tools or thinking. `unusable` = the template refuses every prompt.
   */
  readonly kind: 'effort' | 'thinking' | 'tool-choice' | 'turns' | 'tools' | 'unusable'
  /** The first token that changes; `undefined` where that depends on the conversation, or there is no prompt. */
  readonly atToken: number | undefined
  readonly text: string
}

export interface EngineRequest {
  readonly id: RequestId
  readonly model: string
  /** `IsolationScope.key`: part of every cache key. */
  readonly scopeKey: string
  /** Who takes turns with whom; `undefined` = everyone of a scope is one. */
  readonly sharing?: EngineSharing | undefined
  readonly generation: GenerationRequest
  /** `off`: full prefill, nothing read and nothing stored. */
  readonly prefixCache: 'on' | 'off'
  /** Name of the prefix that it pins, where it does for `Engine.pin`. */
  readonly pinId?: string | undefined
}

/** Whom a request counts for where room and time are shared out: organisations first, in each its sessions. */
export interface EngineSharing {
  readonly org: string
  readonly session: string
}

/** A prefix to evaluate and keep: what a provider calls cached contents. */
export interface PinRequest {
  readonly model: string
  readonly scopeKey: string
  /** Its messages, to the end of the last one. */
  readonly generation: GenerationRequest
  readonly ttlMs: number
}

/** Which pin is meant: one of another scope is never found. */
export interface PinAddress {
  readonly model: string
  readonly scopeKey: string
  readonly id: string
}

/** A prefix that is kept until it expires, as long as there is room (P-7). */
export interface EnginePin extends PinAddress {
  readonly tokens: TokenCount
  readonly ttlMs: number
  readonly pinnedAt: EpochMs
  readonly expiresAt: EpochMs
  /** Requests that began with it. */
  readonly reads: number
}

/** Inputs to embed, as text or as token ids. */
export interface EmbeddingRequest {
  readonly id: RequestId
  readonly model: string
  readonly inputs: readonly (string | readonly number[])[]
}

/** One vector for each input, of length 1, and how many tokens each input had. */
export interface EngineEmbeddings {
  readonly vectors: readonly Float32Array[]
  readonly tokens: readonly number[]
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

/** Which cached prefixes to show; every given field must match. */
export interface PrefixQuery {
  readonly models?: readonly string[] | undefined
  /** What the scope keys begin with: `IsolationScope.prefixOf`, or a whole key. */
  readonly scopePrefix?: string | undefined
  /** Which come first; `used` where left out. */
  readonly order?: PrefixOrder | undefined
  /** Most nodes of the answer. */
  readonly limit: number
}

/** Prefixes used last, those with most tokens in and below them, those reused most often, or those stored longest ago. */
export type PrefixOrder = 'used' | 'tokens' | 'hits' | 'age'

/** A run of tokens in the tree of cached prefixes of one tier; its parents hold what comes before. */
export interface CachedPrefix {
  /** The same as long as it is there, and of no other. */
  readonly id: string
  readonly model: string
  readonly scopeKey: string
  readonly tier: CacheTier
  /** Position of its first token, and how many there are. */
  readonly start: TokenCount
  readonly tokens: TokenCount
  /** How many nodes are above it. */
  readonly depth: number
  /** Place of its parent in the answer, always before its own; `undefined` where it begins a prompt. */
  readonly parent: number | undefined
  /** Nodes right below it, also those that the limit left out. */
  readonly children: number
  /** Requests that reused at least a part of it from this tier, since the engine has started. */
  readonly hits: number
  /** `undefined` where it is older than the process. */
  readonly storedAt: EpochMs | undefined
  readonly usedAt: EpochMs
}

export type CacheTier = 'hot' | 'ram' | 'disk'

/** Cached prefixes in the order asked for, parents before children: what the limit cuts off leaves whole trees. */
export interface CachedPrefixes {
  readonly nodes: readonly CachedPrefix[]
  /** Of all that match, also of what the limit left out. */
  readonly totals: Readonly<Record<CacheTier, { readonly nodes: number; readonly tokens: TokenCount }>>
}

/** A snapshot of the engine's state, for metrics, `doctor` and the console. */
export interface EngineStats {
  readonly models: readonly EngineModelStats[]
  readonly running: number
  readonly queued: number
  /** Resident set of the engine process, and the budget it was given. */
  readonly residentBytes: number
  readonly budgetBytes: number
  /** What models that are not served any more have on disk: it counts, and gives way, the least recently used first. */
  readonly otherStores?:
    | {
        readonly stores: number
        readonly bytes: number
        /** Stores that gave way since the start, and what they took. */
        readonly dropped: number
        readonly droppedBytes: number
      }
    | undefined
  readonly restarts: number
}

export interface EngineModelStats {
  readonly name: string
  /** Its generations that run, and that wait for a place. */
  readonly running: number
  readonly queued: number
  readonly hotTokens: number
  /** Tokens of the KV buffer that running generations hold: what is cached beside them gives way. */
  readonly hotHeldTokens: number
  readonly hotCapacityTokens: number
  readonly ramBytes: number
  readonly ramCapacityBytes: number
  readonly ramBlocks: number
  /** Tokens of the blocks; `undefined` where whole states are kept, which say nothing of single tokens. */
  readonly ramTokens: number | undefined
  /** The disk tier, which instances of one model share. */
  readonly disk: EngineDiskStats
  /** Counters since start, in tokens. */
  readonly promptTokens: number
  /** Of those, tokens that were looked up in the prefix cache: once for each generation whose prompt was evaluated. */
  readonly queriedTokens: number
  readonly cachedTokens: number
  /** Cached tokens by the tier they came from. */
  readonly tierTokens: Readonly<Record<CacheTier, number>>
  readonly evaluatedTokens: number
  readonly generatedTokens: number
  readonly evictedTokens: number
  /** Prefixes kept on request: how many, their tokens, and how many were given up early for want of room. */
  readonly pins: { readonly count: number; readonly tokens: number; readonly dropped: number }
  /** Why nothing is reused for this model; `undefined` = its prefix cache works. */
  readonly prefixCacheOff: string | undefined
}

export interface EngineDiskStats {
  /** Name of its folder in `dataDir/kv`: models with the same one share it. `undefined` where there is none. */
  readonly store: string | undefined
  readonly bytes: number
  readonly capacityBytes: number
  readonly blocks: number
  /** Tokens of the blocks; `undefined` where whole states are kept. */
  readonly tokens: number | undefined
  /** Blocks since the start: found whole, dropped as damaged, written, read, evicted; and writes that failed. */
  readonly restored: number
  readonly discarded: number
  readonly written: number
  readonly read: number
  readonly evicted: number
  readonly failedWrites: number
  /** Why there is none; `undefined` = it works. */
  readonly off: string | undefined
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
  /**
   * Embeds inputs; aborting `signal` drops what is not computed yet.
   * @throws IncipitError `context_overflow`, `overloaded`, `engine_failed`, `invalid_request`, `unsupported_feature`, `unknown_model`
   */
  embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EngineEmbeddings>
  reset(selector: ResetSelector): Promise<ResetReport>
  /** What is cached, without a word of it. */
  prefixes(query: PrefixQuery): Promise<CachedPrefixes>
  /**
   * Evaluates a prefix, where it is not cached, and keeps it for its life, which reading does not extend. Kept means
   * evicted last, and at most half of what a tier holds.
   * @throws IncipitError as `generate` does
   */
  pin(request: PinRequest, signal: AbortSignal): Promise<EnginePin>
  /** @returns whether there was such a pin */
  unpin(pin: PinAddress): Promise<boolean>
  /** Another life from now on; `undefined` = there is no such pin. */
  extendPin(pin: PinAddress, ttlMs: number): Promise<EnginePin | undefined>
  /** What is kept, of scopes that begin with a prefix. */
  pins(scopePrefix?: string): Promise<readonly EnginePin[]>
  stats(): Promise<EngineStats>
  close(): Promise<void>
}
