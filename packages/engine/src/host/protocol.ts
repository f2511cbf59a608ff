import type { ErrorCode, GenerationEvent, GenerationRequest, RequestId } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type {
  CachedPrefixes,
  EmbeddingRequest,
  EngineConfig,
  EngineEmbeddings,
  EngineModelInfo,
  EnginePin,
  EngineRequest,
  EngineStats,
  PrefixQuery,
  PinAddress,
  ResetReport,
  ResetSelector,
} from '../engine.ts'

/** What the server tells the engine process. */
export type ToEngine =
  | { readonly kind: 'start'; readonly config: EngineConfig }
  /** `at`: by the clock of the server, which tests may move. */
  | { readonly kind: 'generate'; readonly request: EngineRequest; readonly at: number }
  | { readonly kind: 'cancel'; readonly id: RequestId }
  | ({ readonly kind: 'call'; readonly call: number; readonly at: number } & EngineCall)
  /** Wants a sign of life. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'close' }

/** Questions that have one answer. */
export type EngineCall =
  | { readonly ask: 'tokenize'; readonly model: string; readonly generation: GenerationRequest }
  | { readonly ask: 'embed'; readonly request: EmbeddingRequest }
  | { readonly ask: 'reset'; readonly selector: ResetSelector }
  | { readonly ask: 'prefixes'; readonly query: PrefixQuery }
  | { readonly ask: 'pins'; readonly scopePrefix: string }
  | { readonly ask: 'unpin'; readonly pin: PinAddress }
  | { readonly ask: 'extend-pin'; readonly pin: PinAddress; readonly ttlMs: number }
  | { readonly ask: 'stats' }

/** What those questions are answered with. */
export interface EngineAnswers {
  readonly tokenize: Int32Array
  readonly embed: EngineEmbeddings
  readonly reset: ResetReport
  readonly prefixes: CachedPrefixes
  readonly pins: readonly EnginePin[]
  readonly unpin: boolean
  readonly 'extend-pin': EnginePin | undefined
  readonly stats: Omit<EngineStats, 'restarts'>
}

/** What the engine process tells the server. Events of one tick travel together. */
export type FromEngine =
  | { readonly kind: 'ready'; readonly models: readonly EngineModelInfo[] }
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** The engine cannot serve what it was configured with; ends the start. */
  | { readonly kind: 'refused'; readonly message: string }
  /** A sign of life. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'events'; readonly events: readonly RequestEvent[] }
  | { readonly kind: 'answer'; readonly call: number; readonly answer: EngineAnswers[keyof EngineAnswers] }
  | { readonly kind: 'no-answer'; readonly call: number; readonly error: WireError }

/** One step of one request: an event, or the error that ended it. */
export type RequestEvent =
  | { readonly id: RequestId; readonly event: GenerationEvent }
  | { readonly id: RequestId; readonly error: WireError }

/** An error as it crosses the process border, where classes do not. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly param: string | undefined
  readonly retryAfterSeconds: number | undefined
}

/**
 * Anything thrown, made fit for the border; what is not an `IncipitError` becomes `engine_failed`.
 * @example toWire(new Error('boom')).code // 'engine_failed'
 */
export function toWire(cause: unknown): WireError {
  if (IncipitError.is(cause)) {
    const { code, message, param, retryAfterSeconds } = cause
    return { code, message, param, retryAfterSeconds }
  }
  const message = `the engine failed: ${cause instanceof Error ? cause.message : String(cause)}`
  return { code: 'engine_failed', message, param: undefined, retryAfterSeconds: undefined }
}

/** @example throw fromWire(message.error) */
export function fromWire({ code, message, param, retryAfterSeconds }: WireError): IncipitError {
  return new IncipitError(code, message, {
    ...(param === undefined ? {} : { param }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}
