import type { Rule } from '../rule.ts'

const guide = 'https://docs.fireworks.ai/guides/prompt-caching'
const read = { source: guide, asOf: '2026-11-20', certainty: 'verified' } as const
const own = { source: 'docs/emulators.md', asOf: '2026-11-25', certainty: 'unverified' } as const

interface FireworksRules {
  /** What chooses the replica, the strongest first. */
  readonly affinity: Rule<{ readonly headers: readonly string[]; readonly fields: readonly string[] }>
  readonly isolation: Rule<{ readonly header: string; readonly field: string }>
  readonly ttlMs: Rule<number>
  readonly blockTokens: Rule<number>
  readonly replicas: Rule<number>
  readonly attachmentTokens: Rule<number>
  readonly modelNames: Rule<RegExp>
}

/** The cache rules of Fireworks, each with where it was read. */
export const rules: FireworksRules = {
  affinity: {
    value: { headers: ['x-multi-turn-session-id', 'x-session-affinity'], fields: ['user', 'prompt_cache_key'] },
    ...read,
    note: 'prompt_cache_key as affinity: read in client libraries only, and one gateway takes it for isolation',
  },
  isolation: { value: { header: 'x-prompt-cache-isolation-key', field: 'prompt_cache_isolation_key' }, ...read },
  ttlMs: {
    value: 60 * 60_000,
    ...read,
    note: 'several minutes up to several hours; the emulator keeps an hour after the last use',
  },
  blockTokens: { value: 16, ...own, note: 'minimum and block size are not published' },
  replicas: { value: 4, ...own },
  attachmentTokens: { value: 1_000, ...own },
  modelNames: { value: /^accounts\/[^/]+\/[^/]+\/[^/]+$/, ...own, note: 'any model of any account is served' },
}
