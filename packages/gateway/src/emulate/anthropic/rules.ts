import type { Rule } from '../rule.ts'

const caching = 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching'
const sdk = 'https://github.com/anthropics/anthropic-sdk-typescript (1.14.0, types)'
const read = { source: caching, asOf: '2026-11-20', certainty: 'verified' } as const
const own = { source: 'docs/emulators.md', asOf: '2026-11-25', certainty: 'unverified' } as const

const minute = 60_000

/** The level at which a switch enters. */
export type SwitchLevel = 'system' | 'messages'
/** How long an entry lives, as requests name it. */
export type Ttl = '5m' | '1h'
/** What makes another context without being content. */
export type Switch = 'citations' | 'speed' | 'tool_choice' | 'images' | 'thinking' | 'effort'

interface CacheRules {
  readonly maxMarks: Rule<number>
  /** The block of the mark counts. */
  readonly lookbackBlocks: Rule<number>
  readonly ttls: Rule<Readonly<Record<Ttl, number>>>
  readonly defaultTtl: Rule<Ttl>
  /** Of the blocks in messages; tools and system texts can be marked too. */
  readonly markableBlocks: Rule<readonly string[]>
  /** Where a switch enters the hash: it drops this level and those after it. */
  readonly switches: Rule<Readonly<Record<Switch, SwitchLevel>>>
  /** The level that the web-search tool belongs to: switching it keeps the other tools. */
  readonly webSearchLevel: Rule<SwitchLevel>
  readonly outputFormatLevel: Rule<SwitchLevel>
  /** How the line begins that is taken out of the first system text: Claude Code changes it with every request. */
  readonly billingLine: Rule<string>
  /** What `max_tokens: 0` cannot be combined with. */
  readonly prewarmExcludes: Rule<readonly ('stream' | 'thinking' | 'output_config.format' | 'tool_choice')[]>
}

/** The cache rules of Anthropic Messages, each with where it was read. */
export const cacheRules: CacheRules = {
  maxMarks: { value: 4, ...read },
  lookbackBlocks: { value: 20, ...read },
  ttls: { value: { '5m': 5 * minute, '1h': 60 * minute }, ...read },
  defaultTtl: { value: '5m', ...read },
  markableBlocks: { value: ['text', 'image', 'document', 'tool_use', 'tool_result'], ...read },
  switches: {
    value: {
      citations: 'system',
      speed: 'system',
      tool_choice: 'messages',
      images: 'messages',
      thinking: 'messages',
      effort: 'messages',
    },
    ...read,
  },
  webSearchLevel: { value: 'system', ...read },
  outputFormatLevel: {
    value: 'messages',
    ...read,
    certainty: 'unverified',
    note: 'the effect of output_config.format is not documented',
  },
  billingLine: {
    value: 'x-anthropic-billing-header:',
    source: 'https://code.claude.com/docs/en/llm-gateway-protocol',
    asOf: '2026-11-25',
    certainty: 'secondary',
    note: 'which bytes go with it is ours: the line, and the block where nothing else is in it',
  },
  prewarmExcludes: { value: ['stream', 'thinking', 'output_config.format', 'tool_choice'], ...read },
}

/** What needs a beta header: the field, and how the header's value begins. */
export const betaFields: Rule<Readonly<Record<string, readonly string[]>>> = {
  value: {
    context_management: ['context-management-', 'compact-'],
    mcp_servers: ['mcp-client-'],
    compaction: ['compact-'],
    fallbacks: ['server-side-fallback-'],
    fallback_credit_token: ['fallback-credit-'],
    thread: ['message-threads-'],
    output_format: ['structured-outputs-'],
  },
  source: sdk,
  asOf: '2026-11-25',
  certainty: 'verified',
  note: 'fields of the beta types that the stable types do not have',
}

export const diagnosticsBeta: Rule<string> = {
  value: 'cache-diagnosis-',
  source: 'https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics',
  asOf: '2026-11-20',
  certainty: 'unverified',
  note: 'the page says generally available, an audit of 2026-10-02 says beta: option diagnosticsNeedsBeta',
}

export const stableFields: Rule<readonly string[]> = {
  value: [
    'model',
    'messages',
    'max_tokens',
    'cache_control',
    'container',
    'inference_geo',
    'metadata',
    'output_config',
    'service_tier',
    'speed',
    'stop_sequences',
    'stream',
    'system',
    'temperature',
    'thinking',
    'tool_choice',
    'tools',
    'top_k',
    'top_p',
    'user_profile_id',
    'workspace_id',
  ],
  source: sdk,
  asOf: '2026-11-25',
  certainty: 'verified',
  note: 'temperature, top_k and top_p are the older types’',
}

/** The members of each kind of block; kinds not listed here are not looked into. */
export const blockFields: Rule<Readonly<Record<string, readonly string[]>>> = {
  value: {
    text: ['type', 'text', 'cache_control', 'citations'],
    image: ['type', 'source', 'cache_control'],
    document: ['type', 'source', 'cache_control', 'citations', 'context', 'title'],
    tool_use: ['type', 'id', 'name', 'input', 'cache_control', 'caller'],
    tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'],
    thinking: ['type', 'thinking', 'signature'],
    redacted_thinking: ['type', 'data'],
    custom: [
      'type',
      'name',
      'description',
      'input_schema',
      'cache_control',
      'defer_loading',
      'strict',
      'input_examples',
      'allowed_callers',
      'eager_input_streaming',
    ],
  },
  source: sdk,
  asOf: '2026-11-25',
  certainty: 'verified',
}

export const imageTypes: Rule<readonly string[]> = {
  value: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'],
  source: sdk,
  asOf: '2026-11-25',
  certainty: 'verified',
}

export const maxBodyBytes: Rule<number> = {
  value: 32 * 1_024 * 1_024,
  source: 'https://platform.claude.com/docs/en/api/errors',
  asOf: '2026-11-25',
  certainty: 'secondary',
}

/** The emulator counts every image and every PDF alike. */
export const attachmentTokens: Rule<{ readonly image: number; readonly document: number }> = {
  value: { image: 1_600, document: 2_000 },
  ...own,
}

export const minThinkingBudget: Rule<number> = {
  value: 1_024,
  source: 'https://platform.claude.com/docs/en/build-with-claude/extended-thinking',
  asOf: '2026-11-25',
  certainty: 'secondary',
}

/** Limits per minute told in headers; the emulator never enforces them. */
export const rateLimits: Rule<{
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}> = {
  value: { requests: 4_000, inputTokens: 2_000_000, outputTokens: 400_000 },
  ...own,
}
