import type { TokenLogprob } from '../../domain/generation.ts'

/*
 * OpenAI Responses, also spoken by vLLM, xAI, Fireworks, OpenRouter and Azure. Shapes: the API reference
 * and the types of the official client 6.49 (2026-08).
 */

/**
 * Switches of a request that make another context: the provider renders them into the prompt, keys its
 * cache by them, or puts something of its own before the input.
 * https://developers.openai.com/api/docs/guides/prompt-caching, 2026-09
 */
export const profileFields: readonly string[] = [
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'service_tier',
  'prompt_cache_options',
  'prompt_cache_retention',
  'truncation',
  'context_management',
  'previous_response_id',
  'conversation',
  'prompt',
  'chat_template_kwargs',
]

export type WireStatus = 'completed' | 'incomplete' | 'in_progress'

export interface WireText {
  readonly type: 'output_text'
  readonly text: string
  readonly annotations: readonly []
  readonly logprobs: readonly WireLogprob[]
}

export interface WireRefusal {
  readonly type: 'refusal'
  readonly refusal: string
}

export interface WireMessage {
  readonly id: string
  readonly type: 'message'
  readonly status: WireStatus
  readonly role: 'assistant'
  readonly content: readonly (WireText | WireRefusal)[]
}

export interface WireReasoning {
  readonly id: string
  readonly type: 'reasoning'
  readonly summary: readonly WireSummary[]
  readonly encrypted_content?: string
}

export interface WireSummary {
  readonly type: 'summary_text'
  readonly text: string
}

export interface WireFunctionCall {
  readonly id: string
  readonly type: 'function_call'
  readonly status: WireStatus
  readonly arguments: string
  readonly call_id: string
  readonly name: string
}

export type WireItem = WireMessage | WireReasoning | WireFunctionCall

export interface WireLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
  readonly top_logprobs: TokenLogprob['top']
}

/** Counts that nobody reported are left out; the official client reads into the details unasked. */
export interface WireUsage {
  readonly input_tokens?: number
  readonly input_tokens_details: { readonly cached_tokens?: number; readonly cache_write_tokens?: number }
  readonly output_tokens?: number
  readonly output_tokens_details: { readonly reasoning_tokens?: number }
  readonly total_tokens?: number
}
