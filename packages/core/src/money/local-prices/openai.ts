import type { PriceRow } from '../price-row.ts'

const list = {
  provider: 'openai',
  tiers: { batch: '0.5', flex: '0.5', priority: '2', fast: '2' },
  source: 'https://developers.openai.com/api/docs/pricing',
  asOf: '2026-11-20',
  // Quoted by others: the page itself was not read.
  certainty: 'S',
} as const satisfies Omit<PriceRow, 'model'>

const terra = {
  ...list,
  source: 'https://developers.openai.com/api/docs/models/gpt-6.1-terra',
  certainty: 'V',
} as const satisfies Omit<PriceRow, 'model'>

/** Before GPT-5.6 writing is free, and what the faster tiers cost is not known. */
const automatic = {
  ...list,
  write: 'plain',
  tiers: { batch: '0.5', flex: '0.5' },
} as const satisfies Omit<PriceRow, 'model'>

const genAiPrices = { source: 'https://github.com/pydantic/genai-prices', asOf: '2026-09-23' } as const

/** The promotion is promised "at least through 2026-11-21"; that the launch price came back is not confirmed. */
const promotionEnded = {
  certainty: 'U',
  note: 'the launch price, from the day after the promised end of the promotion (4 / 0.40 / 5 / 20)',
} as const

/** Beyond 272,000 tokens the whole request costs twice the input and cache, and one and a half times the output. */
export const openaiPrices: readonly PriceRow[] = [
  { ...list, model: 'gpt-6-astra', input: '10', read: '1', write: { '30m': '12.5' }, output: '50' },
  { ...list, model: 'gpt-6-astra', over: 272_000, input: '20', read: '2', write: { '30m': '25' }, output: '75' },
  { ...list, model: 'gpt-6-sol', input: '2', read: '0.2', write: { '30m': '2.5' }, output: '10' },
  { ...list, model: 'gpt-6-sol', over: 272_000, input: '4', read: '0.4', write: { '30m': '5' }, output: '15' },
  { ...list, model: 'gpt-6-luna', input: '0.1', read: '0.01', write: { '30m': '0.125' }, output: '0.5' },
  { ...list, model: 'gpt-6-luna', over: 272_000, input: '0.2', read: '0.02', write: { '30m': '0.25' }, output: '0.75' },
  { ...list, model: 'gpt-6-1-sol', from: '2026-09-29', input: '2', read: '0.1', write: { '30m': '2.5' }, output: '10' },
  {
    ...list,
    model: 'gpt-6-1-sol',
    from: '2026-09-29',
    over: 272_000,
    input: '4',
    read: '0.2',
    write: { '30m': '5' },
    output: '15',
  },
  {
    ...terra,
    model: 'gpt-6-1-terra',
    from: '2026-10-26',
    input: '1',
    read: '0.05',
    write: { '30m': '1.25', '12h': '2.5' },
    output: '5',
  },
  {
    ...terra,
    model: 'gpt-6-1-terra',
    from: '2026-10-26',
    over: 272_000,
    input: '2',
    read: '0.1',
    write: { '30m': '2.5', '12h': '5' },
    output: '7.5',
  },
  { ...list, model: 'gpt-5-6-sol', until: '2026-11-21', input: '4', read: '0.4', write: { '30m': '5' }, output: '20' },
  {
    ...list,
    model: 'gpt-5-6-sol',
    until: '2026-11-21',
    over: 272_000,
    input: '8',
    read: '0.8',
    write: { '30m': '10' },
    output: '30',
  },
  {
    ...list,
    model: 'gpt-5-6-sol',
    from: '2026-11-22',
    input: '5',
    read: '0.5',
    write: { '30m': '6.25' },
    output: '30',
    ...promotionEnded,
  },
  {
    ...list,
    model: 'gpt-5-6-sol',
    from: '2026-11-22',
    over: 272_000,
    input: '10',
    read: '1',
    write: { '30m': '12.5' },
    output: '45',
    ...promotionEnded,
  },
  {
    ...list,
    model: 'gpt-5-6-terra',
    from: '2026-07-30',
    input: '2',
    read: '0.2',
    write: { '30m': '2.5' },
    output: '12',
  },
  {
    ...list,
    model: 'gpt-5-6-terra',
    from: '2026-07-30',
    over: 272_000,
    input: '4',
    read: '0.4',
    write: { '30m': '5' },
    output: '18',
  },
  { ...list, model: 'gpt-5-6-luna', input: '0.2', read: '0.02', write: { '30m': '0.25' }, output: '1.2' },
  { ...list, model: 'gpt-5-6-luna', over: 272_000, input: '0.4', read: '0.04', write: { '30m': '0.5' }, output: '1.8' },
  { ...automatic, model: 'gpt-5-5', input: '5', read: '0.5', output: '30' },
  { ...automatic, model: 'gpt-5-4', input: '2.5', read: '0.25', output: '15' },
  { ...automatic, model: 'gpt-5-4-mini', input: '0.75', read: '0.075', output: '4.5' },
  { ...automatic, model: 'gpt-5-4-nano', input: '0.2', read: '0.02', output: '1.25' },
  { ...automatic, model: 'gpt-5-2', input: '1.75', read: '0.175', output: '14' },
  { ...automatic, model: 'gpt-5-1', input: '1.25', read: '0.125', output: '10' },
  { ...automatic, model: 'gpt-5', input: '1.25', read: '0.125', output: '10' },
  { ...automatic, model: 'gpt-5-mini', input: '0.25', read: '0.025', output: '2' },
  { ...automatic, model: 'gpt-5-nano', input: '0.05', read: '0.005', output: '0.4' },
  { ...automatic, model: 'gpt-4-1', input: '2', read: '0.5', output: '8' },
  { ...automatic, model: 'gpt-4o', input: '2.5', read: '1.25', output: '10' },
  // Dearer than what the name without a date became; no price for cached input is listed.
  { ...automatic, ...genAiPrices, model: 'gpt-4o-2024-05-13', input: '5', output: '15' },
]
