import type { Warning } from './warning.ts'

/**
 * What a body of any dialect says, free of its wire format: the way from one dialect to another, and to
 * the local engine. Read by `Dialect.read`, written by `Dialect.write`. JSON that carries meaning in its
 * bytes (schemas, tool arguments) is kept as the client wrote it and never re-serialised.
 */
export interface Conversation {
  readonly model: string
  readonly stream: boolean
  readonly tools: readonly Tool[]
  /** In order, instructions (`system`, `developer`) included where they stood. */
  readonly turns: readonly Turn[]
  readonly settings: ConversationSettings
  readonly cache: CacheControls
  /** Top-level members that no other part of this value holds, in the client's order. */
  readonly extras: readonly ExtraField[]
  /** What reading could not understand and left out. */
  readonly warnings: readonly Warning[]
}

/** A cache mark: a prefix is to be stored up to the end of what carries it. */
export interface CacheMark {
  /** `undefined` = the life a bare mark has in the client's dialect. */
  readonly ttl: '5m' | '30m' | '1h' | '12h' | undefined
}

/** A tool the model may call. */
export type Tool =
  | {
      readonly kind: 'function'
      readonly pointer: string
      readonly name: string
      readonly description: string | undefined
      /** JSON schema of the arguments, the client's bytes; `undefined` where it gave none. */
      readonly schemaJson: string | undefined
      readonly strict: boolean | undefined
      readonly deferLoading: boolean
      readonly mark: CacheMark | undefined
    }
  | {
      /** A tool that the provider runs itself (web search, code execution, ...), or one of unknown type. */
      readonly kind: 'hosted'
      readonly pointer: string
      readonly type: string
      readonly json: string
      readonly mark: CacheMark | undefined
    }

/** One message. A `tool` turn holds tool results only; in dialects without that role they stand in a user message. */
export interface Turn {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
  readonly pointer: string
  readonly name: string | undefined
  readonly blocks: readonly Block[]
}

interface BlockBase {
  /** JSON pointer of the block, or of the string that is the whole content. */
  readonly pointer: string
  readonly mark?: CacheMark | undefined
}

/** Bytes or the place of an attachment. */
export type MediaSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly id: string }
  | { readonly kind: 'text'; readonly text: string }

/** One piece of a message. */
export type Block =
  | (BlockBase & { readonly kind: 'text'; readonly text: string })
  | (BlockBase & { readonly kind: 'refusal'; readonly text: string })
  | (BlockBase & { readonly kind: 'image'; readonly source: MediaSource; readonly detail: string | undefined })
  | (BlockBase & { readonly kind: 'document'; readonly source: MediaSource; readonly title: string | undefined })
  | (BlockBase & { readonly kind: 'audio'; readonly data: string; readonly format: string })
  | (BlockBase & {
      readonly kind: 'thinking'
      readonly text: string
      /** Anthropic's signature, OpenAI's `encrypted_content`: opaque, and valid only where it came from. */
      readonly signature: string | undefined
      /** The whole block or item as the client wrote it. */
      readonly json: string
    })
  | (BlockBase & { readonly kind: 'redacted-thinking'; readonly data: string; readonly json: string })
  | (BlockBase & {
      readonly kind: 'tool-call'
      readonly id: string
      readonly name: string
      /** Arguments as JSON text, the client's own bytes. */
      readonly arguments: string
    })
  | (BlockBase & {
      readonly kind: 'tool-result'
      readonly callId: string
      readonly blocks: readonly Block[]
      readonly isError: boolean
    })
  | (BlockBase & {
      /** A block or item that only its own dialect knows. */
      readonly kind: 'opaque'
      readonly type: string
      readonly json: string
    })

/** How to answer. `undefined` = the client said nothing. */
export interface ConversationSettings {
  readonly maxOutputTokens: number | undefined
  readonly temperature: number | undefined
  readonly topP: number | undefined
  readonly topK: number | undefined
  readonly minP: number | undefined
  readonly seed: number | undefined
  readonly frequencyPenalty: number | undefined
  readonly presencePenalty: number | undefined
  readonly repetitionPenalty: number | undefined
  readonly logitBias: Readonly<Record<number, number>> | undefined
  /** How many alternatives to report per token; `undefined` = no log-probabilities. */
  readonly topLogprobs: number | undefined
  readonly stop: readonly string[]
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string } | undefined
  readonly parallelToolCalls: boolean | undefined
  readonly format: AnswerFormat | undefined
  readonly reasoning: Reasoning | undefined
  readonly verbosity: string | undefined
  readonly serviceTier: string | undefined
  /** The end user: `user`, `safety_identifier`, `metadata.user_id`. */
  readonly user: string | undefined
  /** Chat's `stream_options.include_usage`. */
  readonly includeUsage: boolean | undefined
}

/** What form the answer must have. */
export type AnswerFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json'; readonly pointer?: string | undefined }
  | {
      readonly kind: 'schema'
      /** Where the schema stands in the client's body, for an error to name. */
      readonly pointer?: string | undefined
      readonly name: string | undefined
      readonly description: string | undefined
      /** The client's bytes. */
      readonly schemaJson: string
      readonly strict: boolean | undefined
    }

/** How much a model is to think. Effort and budget are never derived from one another. */
export interface Reasoning {
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or what a provider adds. */
  readonly effort: string | undefined
  readonly budgetTokens: number | undefined
  /** Anthropic's `thinking.type`: `enabled`, `disabled`, `adaptive`. */
  readonly thinking: string | undefined
  /** OpenAI's `reasoning.summary`. */
  readonly summary: string | undefined
}

/** What the client asks of the prefix cache, beside marks on tools and blocks. */
export interface CacheControls {
  /** `prompt_cache_key`. */
  readonly key: string | undefined
  /** `prompt_cache_retention`. */
  readonly retention: string | undefined
  /** `prompt_cache_options.mode`; `undefined` = not said. */
  readonly mode: 'implicit' | 'explicit' | undefined
  /**
   * A mark that moves along with the end of the prompt: Anthropic's top-level `cache_control`; also what the
   * implicit mode of OpenAI amounts to. `undefined` = none.
   */
  readonly automatic: CacheMark | undefined
  /** Where the client asked for `automatic`; left out where its dialect does so without a word. */
  readonly automaticPointer?: string | undefined
  /** An earlier answer with which the cache is to be compared; `null` = there is none yet, `undefined` = not asked. */
  readonly compareWith?: string | null | undefined
}

/** A top-level member that has no place of its own in a `Conversation`. */
export interface ExtraField {
  readonly name: string
  readonly pointer: string
  /** Its value, the client's bytes. */
  readonly json: string
}
