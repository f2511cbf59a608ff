import type { EmulatedRequest } from './emulated-request.ts'
import type { Frame, Reply } from './reply.ts'
import type { CacheEntry } from './timed-cache.ts'

/** One emulated provider: its routes, its errors, its prompt cache. */
export interface Provider {
  /** Answers; a refusal is an answer too. */
  handle(request: EmulatedRequest): Reply
  /** An error as this provider words it, for faults. */
  errorReply(status: number, path: string): Reply
  /** The event with which a stream that has begun reports an error. */
  errorFrame(path: string): Frame
  /** What is stored and alive. */
  cacheEntries(now: number): readonly CacheEntry[]
  /** Forgets caches, stored answers and counters. */
  reset(): void
}

/** Who a key belongs to; caches are never shared across organisations. */
export interface KeyOwner {
  readonly org: string
  /** Defaults to one workspace per organisation. */
  readonly workspace?: string
}

/** What can be set on an emulator; each provider reads what concerns it. */
export interface EmulatorOptions {
  /** The accepted keys. Without it any key is accepted, each an organisation of its own. */
  readonly keys?: Readonly<Record<string, KeyOwner>>
  /** Where there are more entries, the longest unused is evicted before its time (default 500,000). */
  readonly maxCacheEntries?: number
  /** Anthropic: `diagnostics` is refused without its beta header (default true; sources disagree). */
  readonly diagnosticsNeedsBeta?: boolean
  /** OpenAI: organisations without stored data default to `in_memory` retention (default false). */
  readonly zeroDataRetention?: boolean
  /** OpenAI: requests per minute and prefix before traffic overflows to another machine (default 15). */
  readonly overflowRpm?: number
  /** Fireworks, Workers AI: how many replicas there are (default 4). */
  readonly replicas?: number
  /** Fireworks, Workers AI, vLLM: tokens per cache block (default 16). */
  readonly blockSize?: number
  /** Fireworks: a dedicated deployment shares one cache between all callers (default false, serverless). */
  readonly dedicated?: boolean
  /** vLLM: `--enable-prompt-tokens-details` (default false, as there). */
  readonly promptTokensDetails?: boolean
  /** vLLM: the names of the served models (default: any name is accepted). */
  readonly models?: readonly string[]
}
