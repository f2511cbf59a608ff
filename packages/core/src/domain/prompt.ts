/** What part a segment plays; the order of `stablePrefixOrder` in configuration uses these names. */
export type SegmentKind =
  | 'tools'
  | 'system_instructions'
  | 'policy_preamble'
  | 'knowledge_context'
  | 'conversation_history'
  | 'user_message'

/** Wire formats, not companies. */
export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'workers-ai'

/** Half-open byte range `[start, end)` in the client's body. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A position up to which we ask an upstream to store. */
export interface Breakpoint {
  readonly pointer: string
  readonly ttl: '5m' | '30m' | '1h' | '12h'
  readonly origin: 'client' | 'planned'
  /** Where in the body the marked block ends, when that is inside its segment (a mark on a content part). */
  readonly end?: number | undefined
}

/** Content that is not text (image, document, audio) and takes part in the exact match by its bytes (P-10). */
export interface Attachment {
  readonly kind: 'image' | 'document' | 'audio' | 'file'
  readonly pointer: string
  readonly span: Span
}

/** One piece of a prompt in the order the provider renders it: tools, then system, then messages. */
export interface Segment {
  readonly kind: SegmentKind
  /** The wire role (`system`, `developer`, `user`, `assistant`, `tool`), or `tool` for a tool definition. */
  readonly role: string
  /** JSON pointer into the client's body, for example `/messages/3`. */
  readonly pointer: string
  readonly span: Span
  /**
   * Ranges inside `span` that a provider reads but does not render, ascending and disjoint, each with the
   * comma that goes with it: `cache_control` and its like. They are left out of the wire chain, because a
   * mark that wanders from turn to turn changes no prefix.
   */
  readonly holes?: readonly Span[] | undefined
  readonly attachments: readonly Attachment[]
}

/**
 * Switches that make another context (P-9), with their raw JSON text: `tools` are segments and not
 * listed here; `tool_choice`, `response_format`, `reasoning_effort`, ... are.
 */
export type Profile = Readonly<Record<string, string>>

/** A parsed request: the client's bytes, and where things are in them. Nothing is re-serialised. */
export interface Prompt {
  readonly dialect: DialectName
  readonly body: Uint8Array
  /** Empty where the body leaves it to what the provider keeps. */
  readonly model: string
  readonly stream: boolean
  /** In render order: tools, system, messages. */
  readonly segments: readonly Segment[]
  readonly profile: Profile
  readonly breakpoints: readonly Breakpoint[]
  /** Ids found in the body that can name a session, by field name; see session identity in the design. */
  readonly identity: PromptIdentity
  /** Body field `prompt_cache_isolation_key`. */
  readonly isolationKey: string | undefined
  /** The life that the request as a whole asks for what it stores (`prompt_cache_options.ttl`). */
  readonly cacheTtl?: Breakpoint['ttl'] | undefined
  /** Asks that the prompt be stored and nothing be generated: `max_tokens: 0`, or `prewarm` of Responses. */
  readonly prewarms?: boolean | undefined
}

/** Fields of a body that can name a session, raw. */
export interface PromptIdentity {
  readonly promptCacheKey?: string | undefined
  readonly conversation?: string | undefined
  readonly user?: string | undefined
  readonly metadataUserId?: string | undefined
}
