import type { PriceRow, UtcHours } from '../price-row.ts'

const list = {
  provider: 'deepseek',
  write: 'plain',
  source: 'https://api-docs.deepseek.com/quick_start/pricing',
  asOf: '2026-10-27',
  certainty: 'V',
  note: 'Chinese public holidays have no peak hours; they are not in this table',
} as const satisfies Omit<PriceRow, 'model'>

const workdays = [1, 2, 3, 4, 5]
const peakHours: readonly UtcHours[] = [
  { from: '01:00', until: '04:00', days: workdays },
  { from: '06:00', until: '10:00', days: workdays },
]

/** DeepSeek's own API, which costs twice as much in the peak hours. */
export const deepseekPrices: readonly PriceRow[] = [
  { ...list, model: 'deepseek-flash', input: '0.15', read: '0.003', output: '0.6' },
  { ...list, model: 'deepseek-flash', hours: peakHours, input: '0.3', read: '0.006', output: '1.2' },
  { ...list, model: 'deepseek-v4-pro', input: '0.66', read: '0.022', output: '1.98' },
  { ...list, model: 'deepseek-v4-pro', hours: peakHours, input: '1.32', read: '0.044', output: '3.96' },
]
