import type { CacheMark } from './conversation.ts'

/** A place in a prompt, free of tokens: whoever renders it knows which token that is. */
export type PromptPlace =
  /** Behind a tool definition. */
  | { readonly kind: 'tool'; readonly index: number }
  /** Behind so many units of a message's text. */
  | { readonly kind: 'text'; readonly message: number; readonly length: number }
  /** Behind all of a message. */
  | { readonly kind: 'message'; readonly message: number }

/** Longest that a prefix can be asked to be kept without use. */
export interface PinnedPlace {
  readonly place: PromptPlace
  readonly ttlMs: number
}

/** The end of a block, as the cache of a provider sees it. */
export interface PlacedEnd {
  readonly place: PromptPlace
  readonly level: 'tools' | 'system' | 'messages'
  /** Of everything up to here, without who asks. */
  readonly hash: string
  readonly mark?: { readonly life: CacheMark['ttl'] } | undefined
  readonly ending?: boolean
  readonly leading?: boolean
}

/** A prompt with what the rules of a provider ask about it. */
export interface ProviderPrompt {
  readonly provider: 'anthropic' | 'openai'
  /** As the client names it: minimums and steps go by it. */
  readonly model: string
  /** What divides the cache beside the scope and the content. */
  readonly seed: string
  /** In prompt order. */
  readonly ends: readonly PlacedEnd[]
  readonly mode: 'implicit' | 'explicit'
  readonly life: CacheMark['ttl'] | '24h' | 'in_memory'
  /** What is compared beside the blocks, by the reason that a difference is. */
  readonly traits: Readonly<Record<string, string>>
  /** An earlier answer to compare with; `null` = there is none yet, `undefined` = not asked. */
  readonly compareWith?: string | null | undefined
}

/** Why a prompt could or could not reuse what an earlier one left, in the words of the provider. */
export type CacheDiagnosis =
  | {
      readonly provider: 'anthropic'
      /** `null` = it could, or there was nothing to compare with. */
      readonly reason: { readonly type: string; readonly missedTokens: number | undefined } | null
    }
  | {
      readonly provider: 'openai'
      readonly type: 'cache_hit' | 'cache_miss' | 'comparison_response_not_found'
      readonly reason: string | null
      readonly reusableTokens: number | undefined
      readonly missedTokens: number | undefined
    }

/** What a request asks of the prefix cache of a local model. */
export interface CacheRequest {
  /** Prefixes to keep for a while. */
  readonly pins: readonly PinnedPlace[]
  /** By whose rules usage is counted; `undefined` = by what was reused. */
  readonly provider?: ProviderPrompt | undefined
}

/** Where the tokens of a prompt come from; `fresh + read + write... = tokens`. Absent = the provider does not say. */
export interface CacheBuckets {
  readonly fresh: number
  readonly read: number
  readonly write5m?: number
  readonly write30m?: number
  readonly write1h?: number
  readonly write12h?: number
}
