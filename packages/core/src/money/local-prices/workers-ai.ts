import type { PriceRow } from '../price-row.ts'

const list = {
  provider: 'workers-ai',
  write: 'plain',
  source: 'https://developers.cloudflare.com/workers-ai/models/',
  asOf: '2026-11-20',
  certainty: 'V',
} as const satisfies Omit<PriceRow, 'model'>

/** Workers AI; a model whose page lists no price for cached input gives no discount. */
export const workersAiPrices: readonly PriceRow[] = [
  { ...list, model: 'glm-5-3', input: '1.4', read: '0.26', output: '4.4' },
  { ...list, model: 'glm-5-2', input: '1.4', read: '0.26', output: '4.4' },
  { ...list, model: 'kimi-k2-6', input: '0.95', read: '0.16', output: '4' },
  { ...list, model: 'kimi-k2-7-code', input: '0.95', read: '0.19', output: '4' },
  { ...list, model: 'llama-3-3-70b-instruct-fp8-fast', input: '0.293', read: 'plain', output: '2.253' },
  { ...list, model: 'llama-3-1-8b-instruct-fp8', input: '0.152', read: 'plain', output: '0.287' },
  { ...list, model: 'llama-3-2-1b-instruct', input: '0.027', read: 'plain', output: '0.201' },
]
