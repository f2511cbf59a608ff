import type { CacheDiagnosis } from './cached-prompt.ts'
import type { TokenLogprob } from './generation.ts'
import type { TokenCount } from './units.ts'
import type { Usage } from './usage.ts'

/** Why an answer ended, free of any dialect's word for it. */
export type StopReason =
  | 'end'
  | 'length'
  | 'stop-sequence'
  | 'tool-calls'
  | 'refusal'
  | 'pause'
  | 'content-filter'
  | 'context-exceeded'

/** What an answer cost: disjoint buckets, and what some dialects say beside them. */
export interface AnswerUsage {
  readonly buckets: Usage
  /** Of the output: tokens spent on thinking, where reported. */
  readonly reasoningTokens: TokenCount | undefined
}

/** One piece of an answer. */
export type AnswerBlock =
  | { readonly kind: 'text'; readonly text: string; readonly logprobs: readonly TokenLogprob[] | undefined }
  | { readonly kind: 'refusal'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string; readonly signature: string | undefined }
  | { readonly kind: 'redacted-thinking'; readonly data: string }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string; readonly arguments: string }

/** A whole answer, free of any wire format. */
export interface Answer {
  /** The upstream's own id of it. */
  readonly id: string | undefined
  /** The model as the upstream names it. */
  readonly model: string | undefined
  readonly blocks: readonly AnswerBlock[]
  readonly stop: StopReason
  /** The string that ended it, where it was one. */
  readonly stopSequence: string | undefined
  /** `undefined` = not reported. */
  readonly usage: AnswerUsage | undefined
  /** Of the prompt beside an earlier one, where the client asked and a local model answers. */
  readonly diagnosis?: CacheDiagnosis | undefined
}

/**
 * The events of one streamed answer, in order: one `start`, deltas, one `finish`. A delta of another kind
 * than the one before begins a new block. Deltas of a tool call name it by `index`, counted from 0 in
 * order of appearance.
 */
export type AnswerEvent =
  | {
      readonly kind: 'start'
      readonly id: string | undefined
      readonly model: string | undefined
      /** Where it is known before the first token: its output part is not. */
      readonly usage: AnswerUsage | undefined
      readonly diagnosis?: CacheDiagnosis | undefined
    }
  | { readonly kind: 'text-delta'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] | undefined }
  | { readonly kind: 'refusal-delta'; readonly text: string }
  | { readonly kind: 'thinking-delta'; readonly text: string }
  | { readonly kind: 'thinking-signature'; readonly signature: string }
  | { readonly kind: 'redacted-thinking'; readonly data: string }
  | { readonly kind: 'tool-start'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly kind: 'tool-delta'; readonly index: number; readonly json: string }
  /** Keeps the connection alive; carries nothing. */
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'finish'
      readonly stop: StopReason
      readonly stopSequence: string | undefined
      readonly usage: AnswerUsage | undefined
    }

/** An error that an upstream answered with, or ended a stream with. */
export interface UpstreamFault {
  /** The upstream's own word, for example `overloaded_error`, `rate_limit_exceeded`. */
  readonly type: string | undefined
  readonly code: string | undefined
  readonly message: string
  readonly param: string | undefined
}
