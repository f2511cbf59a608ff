/** One message of a chat. */
export interface AiMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | (string & {})
  readonly content: string | null | readonly { readonly type: string; readonly [field: string]: unknown }[]
  readonly [field: string]: unknown
}

/** A tool the model may call; the JSON schema goes out as it is. */
export interface AiTool {
  readonly type?: 'function'
  readonly [field: string]: unknown
}

/** What a model is asked; fields not listed here go out as they are. */
export interface AiInputs {
  readonly messages?: readonly AiMessage[]
  readonly prompt?: string
  readonly max_tokens?: number
  readonly temperature?: number
  readonly top_p?: number
  readonly top_k?: number
  readonly seed?: number
  readonly tools?: readonly AiTool[]
  readonly stream?: boolean
  readonly [field: string]: unknown
}

/** Inputs that ask for a stream. */
export type AiStreamInputs = AiInputs & { readonly stream: true }

/** Token counts of one answer; `undefined` = not reported. */
export interface AiUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  /** How much of `prompt_tokens` came from the prefix cache. */
  readonly prompt_tokens_details?: { readonly cached_tokens?: number }
}

export interface AiToolCall {
  readonly name: string
  readonly arguments: unknown
}

/** The `result` of the envelope. */
export interface AiResult {
  readonly response: string
  readonly usage?: AiUsage
  readonly tool_calls?: readonly AiToolCall[]
  readonly [field: string]: unknown
}
