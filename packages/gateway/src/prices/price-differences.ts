import type { EpochMs, PicoUsd, Price } from '@incipit/core'
import { usdText } from '@incipit/core'
import type { LayeredPrices, PriceLayer } from './layered-prices.ts'
import { isUpstreamKey } from './upstream-key.ts'

/** One rate of one model, as the layers have it. */
export interface PriceDifference {
  readonly provider: string
  readonly model: string
  /** Size of the prompt for which it was compared. */
  readonly promptTokens: number
  readonly rate: string
  /** USD per million tokens, by layer; a layer that has no such rate is left out. */
  readonly values: Partial<Record<PriceLayer, string>>
  /** Which price it is in each layer, and the day it was seen. */
  readonly prices: Partial<Record<PriceLayer, { readonly id: string; readonly source: string; readonly asOf: string }>>
}

/** What the comparison of all models came to. */
export interface PriceComparison {
  readonly differences: readonly PriceDifference[]
  /** Rates that two layers have alike. */
  readonly equal: number
  /** Models that one layer alone has. */
  readonly alone: readonly { readonly provider: string; readonly model: string; readonly layer: PriceLayer }[]
}

const layers: readonly PriceLayer[] = ['operator', 'local', 'genai-prices']

const rateNames = {
  input: 'input',
  read: 'read',
  write5m: 'write 5m',
  write30m: 'write 30m',
  write1h: 'write 1h',
  write12h: 'write 12h',
  output: 'output',
} as const satisfies Partial<Record<keyof Price, string>>

/** A prompt of a size that is nothing special, where a row is for all of them. */
const usualTokens = 10_000

/**
 * Where the layers say different things about the models of the upper two, at one time.
 * @example comparePrices(book, clock.now()).differences
 */
export function comparePrices(book: LayeredPrices, at: EpochMs): PriceComparison {
  const questions = new Map<string, { provider: string; model: string; promptTokens: number }>()
  for (const { row } of book.rows) {
    // What an upstream is priced with by its name stands in no other list.
    if (row.model === '*' || isUpstreamKey(row.provider)) continue
    const promptTokens = row.over === undefined ? Math.min(usualTokens, row.upTo ?? usualTokens) : row.over + 1
    const question = { provider: row.provider, model: row.model, promptTokens }
    questions.set(JSON.stringify(question), question)
  }
  const compared = [...questions.values()].map((question) => ({ question, prices: pricesOf(book, question, at) }))
  const differences: PriceDifference[] = []
  let equal = 0
  for (const { question, prices } of compared) {
    for (const [name, rate] of Object.entries(rateNames) as [keyof typeof rateNames, string][]) {
      const values = valuesOf(prices, name)
      const distinct = new Set(Object.values(values))
      if (distinct.size > 1) differences.push({ ...question, rate, values, prices: named(prices) })
      else if (Object.keys(values).length > 1) equal += 1
    }
  }
  const alone = compared.flatMap(({ question: { provider, model }, prices }) => {
    const [layer, another] = layers.filter((layer) => prices[layer] !== undefined)
    return layer === undefined || another !== undefined ? [] : [{ provider, model, layer }]
  })
  return { differences, equal, alone: distinctModels(alone) }
}

type LayerPrices = Partial<Record<PriceLayer, Price>>

function pricesOf(
  book: LayeredPrices,
  {
    provider,
    model,
    promptTokens,
  }: { readonly provider: string; readonly model: string; readonly promptTokens: number },
  at: EpochMs,
): LayerPrices {
  const found = layers.map((layer) => [layer, findInLayer(book, layer, { provider, model, at, promptTokens })] as const)
  return Object.fromEntries(found.filter(([, price]) => price !== undefined)) as LayerPrices
}

/** The other list writes names with dots. */
function findInLayer(
  book: LayeredPrices,
  layer: PriceLayer,
  query: { readonly provider: string; readonly model: string; readonly at: EpochMs; readonly promptTokens: number },
): Price | undefined {
  const dotted = query.model.replaceAll(/(?<=\d)-(?=\d(?!\d))/g, '.')
  return book.findIn(layer, query) ?? book.findIn(layer, { ...query, model: dotted })
}

function valuesOf(prices: LayerPrices, rate: keyof typeof rateNames): PriceDifference['values'] {
  const values = layers.flatMap((layer) => {
    const value = prices[layer]?.[rate]
    return value === undefined ? [] : [[layer, usdText((value * 1_000_000n) as PicoUsd)] as const]
  })
  return Object.fromEntries(values)
}

function named(prices: LayerPrices): PriceDifference['prices'] {
  const entries = Object.entries(prices).map(([layer, { id, source, asOf }]) => [layer, { id, source, asOf }] as const)
  return Object.fromEntries(entries)
}

function distinctModels<T extends { readonly provider: string; readonly model: string }>(models: readonly T[]): T[] {
  return [...new Map(models.map((model) => [`${model.provider}\n${model.model}`, model])).values()]
}
