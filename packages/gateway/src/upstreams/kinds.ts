import type { DialectName, MarkRules } from '@incipit/core'
import type { UpstreamIsolation, UpstreamKind } from '../config/upstream-settings.ts'
import { hostedOrigins } from '../config/upstream-settings.ts'

/**
 * What is particular about a kind of upstream: data, read by planner and transport. Sources are the
 * providers' own pages, as of 2026-11-20, where not said otherwise.
 */
export interface KindTraits {
  /** Where it lives when nothing is configured. */
  readonly baseUrl: string | undefined
  /** Path of each dialect it speaks, below the base URL and its version; the first one is preferred. */
  readonly paths: Readonly<Partial<Record<DialectName, string>>>
  /** How it takes a key. */
  readonly auth: 'bearer' | 'x-api-key'
  /** Header that carries the keyed session id, so that turns reach the replica that holds their prefix. */
  readonly affinityHeader: string | undefined
  /** Where the keyed scope goes; `undefined` = it has no such thing. */
  readonly isolation:
    | { readonly kind: 'header'; readonly name: string }
    | { readonly kind: 'field'; readonly name: string }
    | undefined
  readonly defaultIsolation: UpstreamIsolation
  /** How cache marks are taken, by dialect; dialects not named take none. */
  readonly marks: Readonly<Partial<Record<DialectName, MarkRules>>>
  /** Claude Code's changing first system block would make every prompt of it another one here. */
  readonly stripsBillingBlock: boolean
  /** Streams of Chat carry usage only when asked: `stream_options.include_usage`. */
  readonly asksForStreamUsage: boolean
  /** Answers can be stored there and asked for later (`/v1/responses/{id}`). */
  readonly resources: boolean
  /** Tokens of a prompt can be counted there, in the first dialect it speaks natively. */
  readonly counts: boolean
  /** Has `embeddings` beside the paths of its dialects. */
  readonly embeddings: boolean
}

/** Where each dialect usually lies: for an upstream that is configured to speak more than its kind does. */
export const defaultPaths: Readonly<Record<DialectName, string>> = {
  'openai-chat': 'chat/completions',
  'openai-responses': 'responses',
  'anthropic-messages': 'messages',
  'workers-ai': 'run',
  gemini: 'models',
}

/** No mark is sent. */
export const noMarks: MarkRules = { field: 'none', max: 0, ttls: [], automatic: false }

// https://platform.claude.com/docs/en/build-with-claude/prompt-caching [V]
const anthropicMarks: MarkRules = { field: 'cache_control', max: 4, ttls: ['5m', '1h'], automatic: true }
// The top-level form is on Anthropic's own API; others may refuse it (anthropics/skills, 2026-07) [V]
const compatibleMarks: MarkRules = { ...anthropicMarks, automatic: false }
// https://developers.openai.com/api/docs/guides/prompt-caching [V]
const openaiMarks: MarkRules = { field: 'prompt_cache_breakpoint', max: 4, ttls: ['30m'], automatic: true }
// Marks in Chat, the top-level one included, are converted for the provider behind; lives 5m and 1h.
// https://openrouter.ai/docs/guides/best-practices/prompt-caching [V]
const openrouterMarks: MarkRules = anthropicMarks

const openaiLike = {
  paths: { 'openai-chat': 'chat/completions' },
  auth: 'bearer',
  affinityHeader: undefined,
  isolation: undefined,
  defaultIsolation: 'shared',
  marks: {},
  stripsBillingBlock: true,
  asksForStreamUsage: true,
  resources: false,
  counts: false,
  embeddings: true,
} as const satisfies Omit<KindTraits, 'baseUrl'>

/** One row per kind. */
export const kindTraits: Readonly<Record<UpstreamKind, KindTraits>> = {
  openai: {
    ...openaiLike,
    baseUrl: hostedOrigins.openai,
    paths: { 'openai-chat': 'chat/completions', 'openai-responses': 'responses' },
    // Separates cache accounting from GPT-5.6 on; before, it steers routing.
    isolation: { kind: 'field', name: 'prompt_cache_key' },
    marks: { 'openai-chat': openaiMarks, 'openai-responses': openaiMarks },
    resources: true,
    counts: true,
  },
  anthropic: {
    ...openaiLike,
    baseUrl: hostedOrigins.anthropic,
    paths: { 'anthropic-messages': 'messages' },
    auth: 'x-api-key',
    marks: { 'anthropic-messages': anthropicMarks },
    // Its API takes the block out itself: https://code.claude.com/docs/en/llm-gateway-protocol
    stripsBillingBlock: false,
    counts: true,
    embeddings: false,
  },
  fireworks: {
    ...openaiLike,
    baseUrl: `${hostedOrigins.fireworks}/inference`,
    // https://docs.fireworks.ai/guides/prompt-caching [V]
    affinityHeader: 'x-session-affinity',
    isolation: { kind: 'header', name: 'x-prompt-cache-isolation-key' },
    defaultIsolation: 'native',
  },
  'workers-ai': {
    ...openaiLike,
    baseUrl: undefined,
    paths: { 'openai-chat': 'chat/completions', 'workers-ai': 'run' },
    // https://developers.cloudflare.com/workers-ai/features/prompt-caching [V]
    affinityHeader: 'x-session-affinity',
  },
  openrouter: {
    ...openaiLike,
    baseUrl: `${hostedOrigins.openrouter}/api`,
    paths: { 'openai-chat': 'chat/completions', 'openai-responses': 'responses' },
    affinityHeader: 'x-session-id',
    marks: { 'openai-chat': openrouterMarks },
  },
  'openai-compatible': { ...openaiLike, baseUrl: undefined },
  'anthropic-compatible': {
    ...openaiLike,
    baseUrl: undefined,
    paths: { 'anthropic-messages': 'messages' },
    auth: 'x-api-key',
    marks: { 'anthropic-messages': compatibleMarks },
    counts: true,
    embeddings: false,
  },
  vllm: {
    ...openaiLike,
    baseUrl: undefined,
    paths: { 'openai-chat': 'chat/completions', 'openai-responses': 'responses' },
    // Mixed into the hash of the first block: https://docs.vllm.ai/en/latest/design/prefix_caching/ [V]
    isolation: { kind: 'field', name: 'cache_salt' },
    defaultIsolation: 'native',
  },
  sglang: {
    ...openaiLike,
    baseUrl: undefined,
    isolation: { kind: 'field', name: 'cache_salt' },
    defaultIsolation: 'native',
  },
  'llama-server': {
    ...openaiLike,
    baseUrl: undefined,
    paths: {
      'openai-chat': 'chat/completions',
      'openai-responses': 'responses',
      'anthropic-messages': 'messages',
    },
    counts: true,
  },
}
