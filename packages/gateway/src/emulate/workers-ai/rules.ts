import type { Rule } from '../rule.ts'

const guide = 'https://developers.cloudflare.com/workers-ai/features/prompt-caching'
const own = { source: 'docs/emulators.md', asOf: '2026-11-25', certainty: 'unverified' } as const

interface WorkersAiRules {
  readonly affinityHeader: Rule<string>
  /** The last part of the names of models that cache prompts. */
  readonly cachingModels: Rule<readonly string[]>
  readonly modelNames: Rule<RegExp>
  readonly ttlMs: Rule<number>
  readonly blockTokens: Rule<number>
  readonly instances: Rule<number>
  readonly attachmentTokens: Rule<number>
  readonly defaultMaxTokens: Rule<number>
  readonly errorCodes: Rule<{
    readonly input: number
    readonly model: number
    readonly route: number
    readonly key: number
  }>
}

/** The cache rules of Workers AI, each with where it was read. */
export const rules: WorkersAiRules = {
  affinityHeader: { value: 'x-session-affinity', source: guide, asOf: '2026-11-20', certainty: 'verified' },
  cachingModels: {
    value: ['glm-5.3', 'glm-5.2', 'kimi-k2.5', 'kimi-k2.6', 'kimi-k2.7-code'],
    source: 'https://developers.cloudflare.com/workers-ai/models/',
    asOf: '2026-11-20',
    certainty: 'verified',
    note: 'models with a price for cached input, and the one in the example of the guide',
  },
  modelNames: { value: /^@(?:cf|hf)\/[^/]+\/[^/]+$/, ...own, note: 'any model is served' },
  ttlMs: { value: 10 * 60_000, ...own, note: 'not published' },
  blockTokens: { value: 16, ...own, note: 'not published' },
  instances: { value: 4, ...own },
  attachmentTokens: { value: 1_000, ...own },
  defaultMaxTokens: { value: 256, source: guide, asOf: '2026-11-25', certainty: 'unverified' },
  errorCodes: {
    value: { input: 5_006, model: 5_007, route: 7_003, key: 10_000 },
    source:
      'https://github.com/cloudflare/workerd/issues/5261, https://github.com/anomalyco/opencode/issues/23773, https://github.com/opencodeschool/opencode.school/issues/174',
    asOf: '2026-11-25',
    certainty: 'secondary',
  },
}
