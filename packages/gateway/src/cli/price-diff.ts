import type { PriceDifference } from '../prices/price-differences.ts'
import { comparePrices } from '../prices/price-differences.ts'
import type { PriceDesk } from './price.ts'
import { textTable } from './text-table.ts'

/**
 * `incipit price diff`: per rate, what each list says, and when it was seen.
 * @example process.stdout.write(showDifferences(desk, {}))
 */
export function showDifferences({ book, at }: PriceDesk, { json }: { readonly json?: boolean }): string {
  const { differences, equal, alone } = comparePrices(book, at)
  const when = new Date(at).toISOString()
  if (json === true) {
    const data = differences.map(({ promptTokens, ...rest }) => ({ ...rest, prompt_tokens: promptTokens }))
    return `${JSON.stringify({ object: 'price_differences', at: when, equal_rates: equal, differences: data, in_one_list: alone }, null, 2)}\n`
  }
  const table = differences.length === 0 ? '' : `${textTable(columns, differences.map(cells))}\n`
  const counts = `${differences.length} rates differ, ${equal} are alike at ${when.slice(0, 16)}Z; ${alone.length} models are in one list only\n`
  return `${table}${counts}${sources(differences)}`
}

const columns = [
  { head: 'provider' },
  { head: 'model' },
  { head: 'rate' },
  { head: 'operator', right: true },
  { head: 'local', right: true },
  { head: 'genai-prices', right: true },
]

function cells({ provider, model, rate, values, promptTokens }: PriceDifference): string[] {
  const size = promptTokens > usualTokens ? ` at ${promptTokens} tokens` : ''
  return [provider, `${model}${size}`, rate, values.operator ?? '-', values.local ?? '-', values['genai-prices'] ?? '-']
}

const usualTokens = 10_000

function sources(differences: readonly PriceDifference[]): string {
  const lines = differences.flatMap(({ prices }) =>
    Object.values(prices).map(({ id, source, asOf }) => `${id}: ${source}, seen ${asOf}`),
  )
  return lines.length === 0 ? '' : `\n${[...new Set(lines)].join('\n')}\n`
}
