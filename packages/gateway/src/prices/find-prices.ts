import type { EpochMs } from '@incipit/core'
import { priceId, resolveRates } from '@incipit/core'
import { genAiProviders } from './genai-prices.ts'
import type { LayeredPrices, LayeredRow } from './layered-prices.ts'
import type { PriceJson } from './price-json.ts'
import { priceJson } from './price-json.ts'
import { upstreamKey } from './upstream-key.ts'

/** Which prices; without a model those of all models, without genai-prices, which has thousands. */
export interface PricesQuery {
  readonly model?: string | undefined
  readonly provider?: string | undefined
  /** Prices that the operator's file has for it by its name. */
  readonly upstream?: string | undefined
  readonly at: EpochMs
}

/**
 * The rows that are asked for, those of upper layers first, each with whether it is what counts at that time.
 * @example findPrices(book, { model: 'gpt-4o', at: clock.now() })
 */
export function findPrices(book: LayeredPrices, { model, at, ...query }: PricesQuery): PriceJson[] {
  const provider = query.upstream === undefined ? query.provider : upstreamKey(query.upstream)
  const rows =
    model === undefined
      ? book.rows.filter(({ row }) => provider === undefined || row.provider === provider)
      : providersFor(book, model, provider).flatMap((provider) => book.rowsOf(provider, model))
  const inForce = new Map<string, ReadonlySet<string>>()
  return rows.flatMap((layered) => {
    const { list, row } = layered
    const rates = resolveRates(row, undefined)
    if (rates === undefined) return []
    const key = `${row.provider}\n${row.model}`
    const ids = inForce.get(key) ?? idsInForce(book, { provider: row.provider, model: model ?? row.model, at })
    inForce.set(key, ids)
    return [priceJson(layered, rates, ids.has(priceId(list, row, undefined)))]
  })
}

/** Of all providers where none is named: those of our lists, and if none has it, those of the other one. */
function providersFor(book: LayeredPrices, model: string, provider: string | undefined): readonly string[] {
  if (provider !== undefined) return [provider]
  const known = [...new Set(book.rows.map(({ row }) => row.provider))]
  // A row for all models of a provider or upstream does not say that it has this one.
  const isOwn = ({ layer, row }: LayeredRow): boolean => layer !== 'genai-prices' && row.model !== '*'
  const own = known.filter((name) => book.rowsOf(name, model).some(isOwn))
  return own.length > 0 ? own : genAiProviders.filter((name) => book.rowsOf(name, model).length > 0)
}

/** What counts at that time for a prompt of any size. */
function idsInForce(
  book: LayeredPrices,
  { provider, model, at }: { readonly provider: string; readonly model: string; readonly at: EpochMs },
): ReadonlySet<string> {
  const sizes = book
    .rowsOf(provider, model)
    .flatMap(({ row: { over, upTo } }) => [over === undefined ? 0 : over + 1, upTo ?? 0])
  const found = [0, ...sizes].map((promptTokens) => book.find({ provider, model, at, promptTokens })?.id)
  return new Set(found.filter((id) => id !== undefined))
}
