import type { DecimalText, PriceRow, RateTexts, UtcHours } from '@incipit/core'
import { plainModelName } from '@incipit/core'
import type { ConditionalPrice, ModelInfo, ModelPrice, TieredPrices } from '@pydantic/genai-prices'
import { createRequire } from 'node:module'
import { isNamesake } from './is-namesake.ts'

/** The pinned version, and the day it came out: later changes are in the local table, or nowhere. */
export const genAiPricesVersion = '0.1.8'
const asOf = '2026-09-23'

/** Where that data calls a provider something else. */
const otherNames: Readonly<Record<string, string>> = {
  'azure-openai': 'azure',
  bedrock: 'aws',
  gemini: 'google',
  moonshot: 'moonshotai',
  vertex: 'google',
  'workers-ai': 'cloudflare',
  xai: 'x-ai',
}

/** Providers to look through for a model that comes without one. */
export const genAiProviders: readonly string[] = [
  'anthropic',
  'openai',
  'gemini',
  'azure-openai',
  'bedrock',
  'fireworks',
  'workers-ai',
  'openrouter',
  'deepseek',
  'xai',
  'moonshot',
  'zai',
  'groq',
  'together',
  'mistral',
  'cohere',
  'cerebras',
  'minimax',
]

/** Model names come from clients, and are compared with patterns. */
const longestModel = 200

/**
 * What `@pydantic/genai-prices` knows of a model, as rows; none where it does not know it. Side effect of the first
 * call: some 480 KB of data are read and parsed, which takes tens of milliseconds.
 *
 * @example genAiRows('openai', 'gpt-4o-mini')[0]?.input // '0.15'
 */
export function genAiRows(provider: string, model: string): PriceRow[] {
  if (model.length > longestModel) return []
  const providerId = Object.hasOwn(otherNames, provider) ? otherNames[provider] : provider
  const { findProvider, calcPrice } = loadGenAiPrices()
  // It also finds providers by a part of their name, which would price what an operator named after one.
  if (providerId === undefined || findProvider({ providerId })?.id !== providerId) return []
  const found = calcPrice({}, model, { providerId })
  if (found === null || isNamesake(model, found.model.id)) return []
  return rowsOf(found.model).map((row) => ({
    ...row,
    provider,
    model: plainModelName(found.model.id),
    source: 'https://github.com/pydantic/genai-prices',
    asOf,
    certainty: 'S',
  }))
}

let loaded: typeof import('@pydantic/genai-prices') | undefined

/** Reads the data if it has not been read yet, so that no request has to wait for it. */
export function loadGenAiPrices(): typeof import('@pydantic/genai-prices') {
  // Not imported: most starts and most commands need none of it, and a look-up cannot wait for a promise.
  loaded ??= createRequire(import.meta.url)('@pydantic/genai-prices') as typeof import('@pydantic/genai-prices')
  return loaded
}

type Conditions = Pick<PriceRow, 'from' | 'hours' | 'over'>
type Row = Conditions & RateTexts

/** The last entry that holds counts there: an entry with hours follows the day of the entries before it. */
function rowsOf({ prices }: ModelInfo): Row[] {
  const entries: ConditionalPrice[] = Array.isArray(prices) ? prices : [{ prices }]
  let from: string | undefined
  return entries.flatMap(({ constraint, prices }) => {
    if (constraint?.type === 'start_date') from = constraint.start_date
    const hours = constraint?.type === 'time_of_date' ? hoursOf(constraint.start_time, constraint.end_time) : undefined
    const conditions = { ...(from === undefined ? {} : { from }), ...(hours === undefined ? {} : { hours }) }
    return sizesOf(prices).map((over) => ({
      ...conditions,
      ...(over === undefined ? {} : { over }),
      ...rates(prices, over),
    }))
  })
}

/** Prompt sizes beyond which some rate changes, and `undefined` for those below all. */
function sizesOf(prices: ModelPrice): (number | undefined)[] {
  const starts = used.flatMap((name) => {
    const price = prices[name]
    return isTiered(price) ? price.tiers.map(({ start }) => start) : []
  })
  return [undefined, ...new Set(starts)]
}

const used = ['input_mtok', 'cache_read_mtok', 'cache_write_mtok', 'cache_write_1h_mtok', 'output_mtok'] as const

function rates(prices: ModelPrice, over: number | undefined): RateTexts {
  const text = (name: (typeof used)[number]): DecimalText | undefined => priceAt(prices[name], over)
  const [input, read, write, write1h, output] = used.map(text)
  // The plain write is that of the provider's usual life: 5 minutes, or 30 with OpenAI. No model has both.
  const writes = {
    ...(write === undefined ? {} : { '5m': write, '30m': write }),
    ...(write1h === undefined ? {} : { '1h': write1h }),
  }
  return {
    ...(input === undefined ? {} : { input }),
    ...(read === undefined ? {} : { read }),
    ...(Object.keys(writes).length === 0 ? {} : { write: writes }),
    ...(output === undefined ? {} : { output }),
  }
}

function priceAt(price: number | TieredPrices | undefined, over: number | undefined): DecimalText | undefined {
  if (price === undefined) return undefined
  if (!isTiered(price)) return decimalText(price)
  const tier = price.tiers.findLast(({ start }) => over !== undefined && start <= over)
  return decimalText(tier?.price ?? price.base)
}

function isTiered(price: number | TieredPrices | undefined): price is TieredPrices {
  return typeof price === 'object'
}

/** The number as it was written; what is finer than a picodollar per token is rounded to one. */
function decimalText(price: number): DecimalText {
  const text = String(price)
  return /^\d+(?:\.\d{1,6})?$/.test(text) ? text : price.toFixed(6)
}

/** Times like `16:30:00Z`; what goes over midnight is two stretches. */
function hoursOf(start: string, end: string): UtcHours[] {
  const [from, until] = [start.slice(0, 5), end.slice(0, 5)]
  if (from < until) return [{ from, until }]
  return [{ from, until: '24:00' }, ...(until === '00:00' ? [] : [{ from: '00:00', until }])]
}
