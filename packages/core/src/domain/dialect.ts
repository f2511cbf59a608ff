import type { Answer, AnswerEvent, AnswerUsage, UpstreamFault } from './answer.ts'
import type { Conversation } from './conversation.ts'
import type { IncipitError } from './errors.ts'
import type { DialectName, Prompt } from './prompt.ts'
import type { EpochMs, TokenCount } from './units.ts'
import type { Warning } from './warning.ts'

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

/** Renders one streamed answer: each method returns the text to send, possibly none. */
export interface StreamRenderer {
  event(event: AnswerEvent): string
  /** An error after the head has left: a dialect-correct last word. */
  error(error: IncipitError): string
}

/** One server-sent event: its name, where it has one, and its data. */
export interface ServerSentEvent {
  readonly event: string | undefined
  readonly data: string
}

/** What one server-sent event of an upstream's answer means: events, or the fault that ends it. */
export type StreamStep =
  | { readonly kind: 'events'; readonly events: readonly AnswerEvent[] }
  | { readonly kind: 'fault'; readonly fault: UpstreamFault }

/** Reads one streamed answer of an upstream, event by event. Unknown events mean nothing. */
export interface StreamReader {
  read(event: ServerSentEvent): StreamStep
  /** The upstream ended the stream: what is still owed, such as a `finish` that waited for usage. */
  end(): readonly AnswerEvent[]
}

/** An error as it leaves: status and JSON body. */
export interface RenderedError {
  readonly status: number
  readonly body: string
}

/** What the writer of a body must know of the upstream it is for. */
export interface WriteTarget {
  /** The model as the upstream calls it. */
  readonly model: string
  /** How the upstream takes cache marks in this dialect. */
  readonly marks: MarkRules
}

/** Where and how many cache marks an upstream takes; data of its kind and model. */
export interface MarkRules {
  /** The member that marks a block; `none` = marks are not sent. */
  readonly field: 'cache_control' | 'prompt_cache_breakpoint' | 'none'
  readonly max: number
  /** Lives that can be asked for, the shortest (a bare mark's) first. */
  readonly ttls: readonly ('5m' | '30m' | '1h' | '12h')[]
  /** Takes a mark on the request that follows the end of the prompt, and we may set it. */
  readonly automatic: boolean
}

/** A body for an upstream, and what it could not say. */
export interface WrittenBody {
  readonly body: Uint8Array
  readonly warnings: readonly Warning[]
}

/**
 * How to find things in a stream without parsing it. Each text, quotes included, stands in an event only
 * where it means what it says: inside JSON strings quotes are escaped.
 */
export interface StreamMarks {
  /**
   * In events that carry content: the first one ends the time to first token. A text that ends in an opening quote
   * means a string that is not empty: it does not count where a quote follows; see `hasContent`.
   */
  readonly content: readonly string[]
  /** In the event that ends a complete stream. */
  readonly end: readonly string[]
  /** In every event that reports an error; others may have it too: the reader tells. */
  readonly fault: readonly string[]
}

/**
 * A wire format. Pure: bytes and values in, bytes and values out. Every dialect folder has the same
 * files: `wire`, `parse`, `read`, `write`, `render`, `usage`, `stream`, `stream-reader`, `errors`.
 */
export interface Dialect {
  readonly name: DialectName

  // A request.
  /** Finds what is where; reads no text. @throws IncipitError with a JSON pointer in `param` when the body is not of this dialect */
  parse(body: Uint8Array, context: ParseContext): Prompt
  /** All that a body says. @throws IncipitError naming the pointer of what is wrong or cannot be */
  read(prompt: Prompt): Conversation
  /**
   * The body of this dialect that says the same. Deterministic: equal conversations give equal bytes.
   * Whatever cannot be said is a warning. Marks are counted after translation and kept legal.
   */
  write(conversation: Conversation, target: WriteTarget): WrittenBody

  // An answer to a client.
  /** The body of a whole answer, as JSON text. */
  answer(answer: Answer, context: AnswerContext): string
  /** Content type of a streamed answer. */
  readonly streamContentType: string
  /** Streams carry usage also where the client did not ask for it. */
  readonly alwaysStreamUsage?: boolean
  stream(context: AnswerContext): StreamRenderer
  error(error: IncipitError, requestId: string): RenderedError
  /** An upstream's error in this dialect, when it came in another. */
  fault(fault: UpstreamFault, status: number, requestId: string): RenderedError

  // An answer of an upstream.
  /**
   * `bytes`: the JSON before it was parsed, for what parsing loses: arguments that are no text, but an object.
   * @throws IncipitError `upstream_failed` when the parsed JSON is no answer of this dialect
   */
  readAnswer(answer: unknown, bytes?: Uint8Array): Answer
  streamReader(): StreamReader
  /** Understands the error body of an upstream, whatever it holds. */
  readFault(status: number, body: string): UpstreamFault
  readonly streamMarks: StreamMarks
  /** The provider's own usage object inside a parsed answer or stream event. */
  rawUsage(answer: unknown): Readonly<Record<string, unknown>> | undefined
  /** Disjoint buckets of such an object; of a stream: of all its usage objects merged, the larger count wins. */
  usage(raw: Readonly<Record<string, unknown>>): AnswerUsage | undefined
  /** The provider's own total of the input in such an object: what the buckets have to sum to. */
  inputTotal(raw: Readonly<Record<string, unknown>>): TokenCount | undefined
}
