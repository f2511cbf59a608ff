import type { PriceRow } from '../price-row.ts'

const list = {
  provider: 'fireworks',
  write: 'plain',
  source: 'https://docs.fireworks.ai/serverless/pricing',
  asOf: '2026-11-20',
  certainty: 'V',
} as const satisfies Omit<PriceRow, 'model'>

/** Serverless models of Fireworks; dedicated deployments are billed by the hour of a GPU. */
export const fireworksPrices: readonly PriceRow[] = [
  { ...list, model: 'deepseek-v4-pro', input: '1.74', read: '0.145', output: '3.48' },
  { ...list, model: 'deepseek-v4-pro-0813', input: '1.32', read: '0.044', output: '3.96', tiers: { priority: '1.25' } },
  { ...list, model: 'deepseek-v4-flash', input: '0.14', read: '0.028', output: '0.28' },
  { ...list, model: 'kimi-k3', input: '3', read: '0.3', output: '15' },
  { ...list, model: 'kimi-k3-fast', input: '4.5', read: '0.45', output: '22.5' },
  { ...list, model: 'kimi-k2-7-code', input: '0.95', read: '0.19', output: '4' },
  { ...list, model: 'kimi-k2-6', input: '0.95', read: '0.16', output: '4' },
  { ...list, model: 'kimi-k2-6-fast', input: '2', read: '0.3', output: '8' },
  { ...list, model: 'kimi-k2-5', input: '0.6', read: '0.1', output: '3' },
  { ...list, model: 'glm-5-3', input: '1.4', read: '0.26', output: '4.4' },
  { ...list, model: 'glm-5-2', input: '1.4', read: '0.26', output: '4.4' },
  { ...list, model: 'glm-5-2-fast', input: '2.1', read: '0.21', output: '6.6' },
  { ...list, model: 'glm-5-1', input: '1.4', read: '0.26', output: '4.4' },
  { ...list, model: 'glm-5', input: '1', read: '0.2', output: '3.2' },
  { ...list, model: 'glm-4-7', input: '0.6', read: '0.3', output: '2.2' },
  { ...list, model: 'qwen3-7-plus', input: '0.4', read: '0.08', output: '1.6' },
  { ...list, model: 'minimax-2-7', input: '0.3', read: '0.06', output: '1.2' },
  { ...list, model: 'gpt-oss-120b', input: '0.15', read: '0.015', output: '0.6' },
  { ...list, model: 'gpt-oss-20b', input: '0.07', read: '0.035', output: '0.3' },
  { ...list, model: 'llama-v3-3-70b-instruct', input: '0.9', read: '0.45', output: '0.9', unverified: ['read'] },
]
