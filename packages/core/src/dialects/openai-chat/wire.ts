import type { ChatFinish } from '../shared/chat-stops.ts'
import type { ChatUsage } from '../shared/token-counts.ts'

/*
 * OpenAI Chat Completions, also spoken by Fireworks, vLLM, SGLang, llama-server and the
 * `/ai/v1/chat/completions` route of Workers AI.
 */

/**
 * Switches of a request that make another context: the provider renders them into the prompt, or
 * keys its cache by them. https://developers.openai.com/api/docs/guides/prompt-caching, 2026-09
 */
export const profileFields: readonly string[] = [
  'tool_choice',
  'parallel_tool_calls',
  'function_call',
  'response_format',
  'reasoning_effort',
  'reasoning',
  'thinking',
  'verbosity',
  'service_tier',
  'modalities',
  'audio',
  'web_search_options',
  'prompt_cache_options',
  'prompt_cache_retention',
  'chat_template',
  'chat_template_kwargs',
  'documents',
]

export interface WireLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
}

export interface WireLogprobs {
  readonly content: readonly (WireLogprob & { readonly top_logprobs: readonly WireLogprob[] })[]
  readonly refusal: null
}

export interface WireToolCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

export interface WireMessage {
  readonly role: 'assistant'
  readonly content: string | null
  readonly refusal: string | null
  /** Beyond the API, as DeepSeek, vLLM and those that followed them have it. */
  readonly reasoning_content?: string
  readonly tool_calls?: readonly WireToolCall[]
}

export interface WireCompletion {
  readonly id: string
  readonly object: 'chat.completion'
  readonly created: number
  readonly model: string
  readonly choices: readonly [
    {
      readonly index: 0
      readonly message: WireMessage
      readonly logprobs: WireLogprobs | null
      readonly finish_reason: ChatFinish
    },
  ]
  readonly usage?: ChatUsage
}
