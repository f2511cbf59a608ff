import type { Milliseconds } from '../domain/units.ts'
import { milliseconds } from '../domain/units.ts'
import type { CacheRule, CacheTtl } from './cache-rule.ts'

/** What the rules of one provider or model family share. */
type Family = Omit<CacheRule, 'model' | 'minTokens'>

const asOf = '2026-11-20'
const minutes = (count: number): Milliseconds => milliseconds(count * 60_000)
const fiveMinutes: CacheTtl = { name: '5m', atLeast: minutes(5) }
const thirtyMinutes: CacheTtl = { name: '30m', atLeast: minutes(30) }
const oneHour: CacheTtl = { name: '1h', atLeast: minutes(60) }
const twelveHours: CacheTtl = { name: '12h', atLeast: minutes(720) }
// "5 to 10 minutes" and "typically 30 minutes to 24 hours": the short end is what can be counted on.
const inMemory: CacheTtl = { name: 'in_memory', atLeast: minutes(5) }
const upToADay: CacheTtl = { name: '24h', atLeast: minutes(30) }

const anthropic: Family = {
  provider: 'anthropic',
  stepTokens: undefined,
  ttls: [fiveMinutes, oneHour],
  writeMultiplier: { '5m': 1.25, '1h': 2 },
  readMultiplier: 0.1,
  source: 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching',
  asOf,
  certainty: 'V',
}

const openai: Family = {
  provider: 'openai',
  stepTokens: undefined,
  ttls: [thirtyMinutes],
  writeMultiplier: { '30m': 1.25 },
  readMultiplier: 0.1,
  source: 'https://developers.openai.com/api/docs/guides/prompt-caching',
  asOf,
  // Minimum and lives are read there; read prices per model only in secondary lists.
  certainty: 'S',
}

/** Before GPT-5.6: automatic, and writing is free. */
const openaiAutomatic: Family = { ...openai, stepTokens: 128, ttls: [inMemory, upToADay], writeMultiplier: {} }

const gemini: Family = {
  provider: 'gemini',
  stepTokens: undefined,
  ttls: [oneHour],
  // Of explicit caches, beside storage by the hour; implicit ones cost nothing to write.
  writeMultiplier: { '1h': 1 },
  readMultiplier: 0.1,
  source: 'https://ai.google.dev/gemini-api/docs/caching',
  asOf,
  certainty: 'V',
}

const fireworks: Family = {
  provider: 'fireworks',
  stepTokens: undefined,
  ttls: [],
  writeMultiplier: {},
  // Where a model's page lists no cached price.
  readMultiplier: 0.5,
  source: 'https://docs.fireworks.ai/guides/prompt-caching',
  asOf,
  certainty: 'V',
}

const workersAi: Family = {
  provider: 'workers-ai',
  stepTokens: undefined,
  ttls: [],
  writeMultiplier: {},
  readMultiplier: undefined,
  source: 'https://developers.cloudflare.com/workers-ai/features/prompt-caching',
  asOf,
  certainty: 'V',
}

/** All rules. To change a fact, change its row and its date; `findRule` reads them. */
export const cacheRules: readonly CacheRule[] = [
  { ...anthropic, model: '*', minTokens: undefined },
  { ...anthropic, model: 'claude-fable-5-1', minTokens: 512, readMultiplier: 0.025 },
  { ...anthropic, model: 'claude-mythos-5-1', minTokens: 512, readMultiplier: 0.025 },
  { ...anthropic, model: 'claude-opus-5-5', minTokens: 512, readMultiplier: 0.05 },
  { ...anthropic, model: 'claude-sonnet-5-5', minTokens: 512, readMultiplier: 0.1, until: '2026-10-06' },
  { ...anthropic, model: 'claude-sonnet-5-5', minTokens: 512, readMultiplier: 0.05, from: '2026-10-07' },
  ...rows(anthropic, 512, ['claude-fable-5', 'claude-mythos-5', 'claude-opus-5', 'claude-haiku-5-5']),
  ...rows(anthropic, 1024, ['claude-opus-4-8', 'claude-opus-4-1', 'claude-opus-4', 'claude-sonnet-5']),
  ...rows(anthropic, 1024, ['claude-sonnet-4-6', 'claude-sonnet-4-5', 'claude-sonnet-4']),
  ...rows(anthropic, 2048, ['claude-opus-4-7']),
  ...rows(anthropic, 4096, ['claude-opus-4-6', 'claude-opus-4-5', 'claude-haiku-4-5']),

  { ...openaiAutomatic, model: '*', minTokens: 1024, readMultiplier: undefined },
  ...rows(openai, 1024, ['gpt-6-astra', 'gpt-6-sol', 'gpt-6-luna', 'gpt-5-6-sol', 'gpt-5-6-terra', 'gpt-5-6-luna']),
  { ...openai, model: 'gpt-6-1-sol', minTokens: 1024, readMultiplier: 0.05 },
  {
    ...openai,
    model: 'gpt-6-1-terra',
    minTokens: 1024,
    readMultiplier: 0.05,
    ttls: [thirtyMinutes, twelveHours],
    writeMultiplier: { '30m': 1.25, '12h': 2.5 },
    source: 'https://developers.openai.com/api/docs/models/gpt-6.1-terra',
    certainty: 'V',
  },
  { ...openaiAutomatic, model: 'gpt-5-5', minTokens: 1024, stepTokens: 2048, ttls: [upToADay] },
  ...rows(openaiAutomatic, 1024, ['gpt-5-4', 'gpt-5-4-mini', 'gpt-5-4-nano', 'gpt-5-2', 'gpt-5-1']),
  ...rows(openaiAutomatic, 1024, ['gpt-5', 'gpt-5-mini', 'gpt-5-nano']),
  { ...openaiAutomatic, model: 'gpt-4-1', minTokens: 1024, readMultiplier: 0.25 },
  { ...openaiAutomatic, model: 'gpt-4o', minTokens: 1024, readMultiplier: 0.5 },

  { ...gemini, model: '*', minTokens: undefined },
  ...rows(gemini, 2048, ['gemini-2-5-pro', 'gemini-2-5-flash']),
  ...rows(gemini, 4096, ['gemini-3-8-flash', 'gemini-3-7-flash', 'gemini-3-6-flash', 'gemini-3-5-flash']),
  ...rows(gemini, 4096, ['gemini-3-1-pro']),

  { ...fireworks, model: '*', minTokens: undefined },
  { ...workersAi, model: '*', minTokens: undefined },
]

function rows(family: Family, minTokens: number, models: readonly string[]): CacheRule[] {
  return models.map((model) => ({ ...family, model, minTokens }))
}
