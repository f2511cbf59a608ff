import type { IncipitError } from './errors.ts'
import type { GenerationEvent, GenerationRequest, GenerationResult } from './generation.ts'
import type { DialectName, Prompt } from './prompt.ts'
import type { EpochMs } from './units.ts'
import type { Usage } from './usage.ts'

/** What the path of a request says beyond its body. */
export interface ParseContext {
  /** A model named by the path (Workers AI `/ai/run/{model}`); wins over the body's. */
  readonly pathModel?: string | undefined
}

/** What an answer states about itself. */
export interface AnswerContext {
  /** `chatcmpl-...` and the like are made from this. */
  readonly id: string
  /** The model as the client named it. */
  readonly model: string
  readonly createdAt: EpochMs
  /** The prompt being answered: some answers depend on what was asked (`stream_options`). */
  readonly prompt: Prompt
}

/** Renders one streamed answer: each method returns the bytes to send, possibly none. */
export interface StreamRenderer {
  event(event: GenerationEvent): string
  /** An error after the head has left: a dialect-correct last word. */
  error(error: IncipitError): string
}

/** An error as it leaves: status and JSON body. */
export interface RenderedError {
  readonly status: number
  readonly body: string
}

/**
 * A wire format. Pure: bytes and values in, bytes and values out. Every dialect folder has the same
 * files: `wire`, `parse`, `render`, `usage`, `stream`, `errors`.
 */
export interface Dialect {
  readonly name: DialectName
  /** @throws IncipitError with a JSON pointer in `param` when the body is not of this dialect */
  parse(body: Uint8Array, context: ParseContext): Prompt
  /** What the engine is to generate. @throws IncipitError on values out of range or not supported */
  toGeneration(prompt: Prompt): GenerationRequest
  /** The body of a whole answer, as JSON text. */
  answer(result: GenerationResult, context: AnswerContext): string
  /** Content type of a streamed answer. */
  readonly streamContentType: string
  stream(context: AnswerContext): StreamRenderer
  error(error: IncipitError, requestId: string): RenderedError
  /** Reads the usage object of an answer or of a stream event, given as parsed JSON. */
  readUsage(answer: unknown): Usage | undefined
}
