import type { PriceRow } from '../price-row.ts'

const xai = {
  provider: 'xai',
  write: 'plain',
  source: 'https://docs.x.ai/developers/models',
  asOf: '2026-11-20',
  certainty: 'S',
} as const satisfies Omit<PriceRow, 'model'>

// Since October 2026 written tokens are a bill item of their own; for models without one here it is not known.
const moonshot = {
  provider: 'moonshot',
  source: 'https://forum.moonshot.ai/t/context-caching-upgrade-5-min-1-hour-ttl-options/613',
  asOf: '2026-11-20',
  certainty: 'S',
} as const satisfies Omit<PriceRow, 'model'>

const zai = {
  provider: 'zai',
  write: 'plain',
  source: 'https://docs.z.ai',
  asOf: '2026-11-20',
  certainty: 'V',
} as const satisfies Omit<PriceRow, 'model'>

// The listed read rates mix those of implicit (0.2 of the input) and explicit (0.1) caches.
const alibaba = {
  provider: 'alibaba',
  unverified: ['read'],
  source: 'https://www.alibabacloud.com/help/en/model-studio/context-cache',
  asOf: '2026-10-11',
  certainty: 'S',
} as const satisfies Omit<PriceRow, 'model'>

const groq = {
  provider: 'groq',
  write: 'plain',
  source: 'https://console.groq.com/docs/prompt-caching',
  asOf: '2026-11-20',
  certainty: 'V',
} as const satisfies Omit<PriceRow, 'model'>

const together = {
  provider: 'together',
  source: 'https://docs.together.ai/docs/inference/chat/prompt-caching',
  asOf: '2026-11-20',
  certainty: 'S',
} as const satisfies Omit<PriceRow, 'model'>

/** Providers that are reached through compatible APIs. */
export const compatiblePrices: readonly PriceRow[] = [
  { ...xai, model: 'grok-4-7', upTo: 200_000, input: '2', read: '0.5', output: '6' },
  { ...xai, model: 'grok-4-7', over: 200_000, input: '4', read: '1', output: '12' },
  { ...xai, model: 'grok-4-6', input: '2', read: '0.5', output: '6' },
  { ...xai, model: 'grok-4-3', input: '1.25', read: '0.2', output: '2.5' },
  { ...xai, model: 'grok-4-20', input: '1.25', read: '0.2', output: '2.5' },
  { ...xai, model: 'grok-build-0-1', input: '1', read: '0.2', output: '2' },
  {
    ...moonshot,
    model: 'kimi-k3-1-pro',
    input: '2',
    read: '0.2',
    write: { '5m': '2', '1h': '4' },
    output: '10',
    unverified: ['write'],
  },
  {
    ...moonshot,
    model: 'kimi-k3-1-pro-highspeed',
    input: '4',
    read: '0.2',
    write: { '5m': '4', '1h': '8' },
    output: '20',
    unverified: ['read', 'write'],
  },
  { ...moonshot, model: 'kimi-k3', input: '3', read: '0.3', output: '15' },
  { ...moonshot, model: 'kimi-k2-7-code', input: '0.95', read: '0.19', output: '4' },
  { ...moonshot, model: 'kimi-k2-6', input: '0.95', read: '0.16', output: '4' },
  { ...moonshot, model: 'kimi-k2-5', input: '0.6', read: '0.1', output: '3' },
  { ...zai, model: 'glm-5-3', input: '1.4', read: '0.26', output: '4.4' },
  { ...zai, model: 'glm-5-2', input: '1.4', read: '0.26', output: '4.4' },
  { ...zai, model: 'glm-5-1', input: '1.4', read: '0.26', output: '4.4' },
  { ...zai, model: 'glm-5', input: '1', read: '0.2', output: '3.2' },
  { ...zai, model: 'glm-4-7', input: '0.6', read: '0.11', output: '2.2' },
  { ...zai, model: 'glm-4-6', input: '0.6', read: '0.11', output: '2.2' },
  { ...alibaba, model: 'qwen3-7-max', input: '2.5', read: '0.5', write: { '5m': '3.125' }, output: '7.5' },
  { ...alibaba, model: 'qwen3-7-plus', input: '0.5', read: '0.05', write: { '5m': '0.625' }, output: '3' },
  { ...alibaba, model: 'qwen3-6-max-preview', input: '1.3', read: '0.13', write: { '5m': '1.625' }, output: '7.8' },
  { ...groq, model: 'gpt-oss-120b', input: '0.15', read: '0.075', output: '0.6' },
  { ...groq, model: 'gpt-oss-20b', input: '0.075', read: '0.0375', output: '0.3' },
  { ...together, model: 'kimi-k2-7-code', input: '0.95', read: '0.19', output: '4' },
  { ...together, model: 'kimi-k2-6', input: '1.2', read: '0.2', output: '4.5' },
  { ...together, model: 'glm-5-2', input: '1.4', read: '0.26', output: '4.4' },
  { ...together, model: 'deepseek-v4-pro', input: '1.74', read: '0.2', output: '3.48' },
]
