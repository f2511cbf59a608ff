import type { DialectName } from '@incipit/core'

/** What kind of service an upstream is: what it speaks, and how its caches are controlled. */
export type UpstreamKind = HostedKind | OwnKind

/** Services that need a key, and whose address is known (workers-ai: with `accountId`). */
export type HostedKind = 'openai' | 'anthropic' | 'fireworks' | 'workers-ai' | 'openrouter'

/** Servers anywhere: they need an address, and may do without a key. */
export type OwnKind = 'openai-compatible' | 'anthropic-compatible' | 'vllm' | 'sglang' | 'llama-server'

/** How organisations are kept apart in the caches of an upstream. */
export type UpstreamIsolation = 'native' | 'credential' | 'salt_text' | 'shared'

/** A dialect an upstream can be spoken to in. */
export type UpstreamDialect = Exclude<DialectName, 'gemini'>

/** One endpoint that requests are sent to. Keys, header values and user info of URLs are secrets. */
export interface UpstreamSettings {
  readonly name: string
  readonly kind: UpstreamKind
  /** Whose price list applies; `undefined` = that of its kind or address. */
  readonly provider: string | undefined
  /** Without a slash at the end; `undefined` = `replicas`, or the address of a hosted kind. */
  readonly baseUrl: string | undefined
  /** Equal instances, each with a cache of its own; none = `baseUrl`. */
  readonly replicas: readonly string[]
  /** For workers-ai only. */
  readonly accountId: string | undefined
  readonly apiKey: string | undefined
  /** Several credentials of one account; never together with `apiKey`. */
  readonly apiKeys: readonly string[]
  /** Own credential by organisation; it wins over `apiKey` and `apiKeys`. */
  readonly orgKeys: Readonly<Record<string, string>>
  /** `client` = the caller's own credential is passed on. */
  readonly credentials: 'configured' | 'client'
  /** Globs of the model names it serves; `*` matches any characters. */
  readonly models: readonly string[]
  /** What the upstream calls a model that clients call otherwise. */
  readonly modelNames: Readonly<Record<string, string>>
  /** `undefined` = what its kind speaks. */
  readonly speaks: readonly UpstreamDialect[] | undefined
  /** `undefined` = what its kind can do. */
  readonly isolation: UpstreamIsolation | undefined
  /** Lower-case name of a header that carries the keyed session id. */
  readonly affinityHeader: string | undefined
  /** Claude Code's changing first system block; `auto` = where the upstream is not Anthropic. */
  readonly stripBillingBlock: 'auto' | 'always' | 'never'
  /** Further request headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts: {
    readonly connectMs: number
    /** From the request sent to the first byte of the answer. */
    readonly firstByteMs: number
    /** Between two pieces of an answer. */
    readonly idleMs: number
  }
  /** The trace of a request is continued there by `traceparent`, where traces are recorded at all. */
  readonly traceContext: boolean
  readonly maxRetries: number
  readonly maxAnswerBytes: number
  /** To each origin. */
  readonly maxConnections: number
  /** `undefined` = what the environment says (HTTPS_PROXY, HTTP_PROXY, NO_PROXY). */
  readonly proxy: string | undefined
  /** Absolute path of certificates to trust besides the usual ones. */
  readonly caFile: string | undefined
}

/** Origins of the hosted kinds. */
export const hostedOrigins: Readonly<Record<HostedKind, string>> = {
  openai: 'https://api.openai.com',
  anthropic: 'https://api.anthropic.com',
  fireworks: 'https://api.fireworks.ai',
  'workers-ai': 'https://api.cloudflare.com',
  openrouter: 'https://openrouter.ai',
}

/** @example isHosted('vllm') // false */
export function isHosted(kind: UpstreamKind): kind is HostedKind {
  return kind in hostedOrigins
}
