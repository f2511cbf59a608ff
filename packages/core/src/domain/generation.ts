import type { AnswerFormat } from './conversation.ts'
import type { CacheBuckets, CacheDiagnosis, CacheRequest } from './cached-prompt.ts'
import type { TokenCount } from './units.ts'

/**
 * What a model is asked to generate, free of any wire format: the engine's input. `toGeneration` makes it
 * from a `Conversation` when a local model serves the request.
 */
export interface GenerationRequest {
  readonly messages: readonly ChatMessage[]
  readonly tools: readonly ToolDefinition[]
  /** Whether tools may, must or must not be called. */
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string }
  /** Whether several tools may be called in one answer. */
  readonly parallelToolCalls: boolean
  /** The form the answer must have; `undefined` = text. */
  readonly format: AnswerFormat | undefined
  readonly sampling: Sampling
  /** Upper bound on generated tokens; `undefined` = up to the context limit, 0 = evaluate the prompt only. */
  readonly maxTokens: number | undefined
  /** Generation ends before the first of these strings. */
  readonly stop: readonly string[]
  /** How many alternatives to report per token; `undefined` = no log-probabilities. */
  readonly topLogprobs: number | undefined
  /** What it asks of the prefix cache; `undefined` = nothing beyond what every request gets. */
  readonly cache?: CacheRequest | undefined
  /** What it sets in the chat template; `undefined` = all as the template has it. */
  readonly switches?: TemplateSwitches | undefined
}

/** What a client may set in a chat template. Left out = as the template has it where nobody says otherwise. */
export interface TemplateSwitches {
  /** How hard the model is to think, in the client's word. */
  readonly effort?: string | undefined
  /** Whether the model is to think before it answers. */
  readonly thinking?: boolean | undefined
  /** Variables of the template by name (`chat_template_kwargs`): values of JSON. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined
}

/** A chat message as the model's template sees it. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
  /** Text content, or parts in order. Attachments stand in the prompt as a digest of their bytes (P-10). */
  readonly content: string
  /** What the model thought before it said this; templates that know it decide how much of it stays. */
  readonly reasoning?: string
  readonly name?: string
  readonly toolCalls?: readonly ToolCall[]
  readonly toolCallId?: string
}

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** The client's own argument bytes, never re-serialised. */
  readonly arguments: string
}

export interface ToolDefinition {
  readonly name: string
  readonly description?: string
  /** The JSON schema exactly as the client wrote it; key order is meaning. */
  readonly parametersJson: string
  /** Arguments must keep to the schema, or the request is refused. */
  readonly strict?: boolean
  /** Where the schema stands in the client's body, for an error to name. */
  readonly pointer?: string
}

export interface Sampling {
  /** 0 = greedy. */
  readonly temperature: number
  readonly topP: number
  /** 0 = all. */
  readonly topK: number
  readonly minP: number
  readonly seed: number | undefined
  readonly frequencyPenalty: number
  readonly presencePenalty: number
  /** 1 = none. */
  readonly repetitionPenalty: number
  /** Added to the logit of a token id before sampling. */
  readonly logitBias: Readonly<Record<number, number>>
}

/** Always the likeliest token, nothing else: what tests and benchmarks compare. */
export const greedySampling: Sampling = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: undefined,
  frequencyPenalty: 0,
  presencePenalty: 0,
  repetitionPenalty: 1,
  logitBias: {},
}

/** Log-probability of one token and its best alternatives. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
  readonly top: readonly { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] }[]
}

export type FinishReason = 'stop' | 'length' | 'tool_calls'

/** What happened with the prompt: known before the first token is sampled. */
export interface PromptReport {
  readonly promptTokens: TokenCount
  /** Prompt tokens the engine did not evaluate: `promptTokens - evaluatedTokens`. */
  readonly cachedTokens: TokenCount
  /** Prompt tokens the engine did evaluate, counted where it evaluates them. */
  readonly evaluatedTokens: TokenCount
  /** Where the reused tokens came from. */
  readonly tiers: { readonly hot: TokenCount; readonly ram: TokenCount; readonly disk: TokenCount }
  /** The same prompt as the provider whose rules the model has would count it; `undefined` = no such rules. */
  readonly counted?: CacheBuckets | undefined
  /** What that provider would say of the prompt beside an earlier one, where the client asks. */
  readonly diagnosis?: CacheDiagnosis | undefined
}

/**
 * The events of one generation, in order: one `prompt`, any number of deltas, one `finish`. `outputTokens` counts from
 * the start of the answer: what a cancelled generation has cost.
 */
export type GenerationEvent =
  | ({ readonly kind: 'prompt' } & PromptReport)
  | {
      readonly kind: 'text-delta'
      readonly text: string
      readonly outputTokens: TokenCount
      readonly logprobs?: readonly TokenLogprob[]
    }
  | { readonly kind: 'thinking-delta'; readonly text: string; readonly outputTokens: TokenCount }
  /** A call begins; `index` counts the calls of an answer from 0. */
  | {
      readonly kind: 'tool-start'
      readonly index: number
      readonly id: string
      readonly name: string
      readonly outputTokens: TokenCount
    }
  /** A piece of the arguments, as JSON text. */
  | { readonly kind: 'tool-delta'; readonly index: number; readonly json: string; readonly outputTokens: TokenCount }
  | { readonly kind: 'finish'; readonly reason: FinishReason; readonly outputTokens: TokenCount }
