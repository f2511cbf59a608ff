import type { DecimalText, PicoUsd, Price, PriceRow, Rates } from '@incipit/core'
import { neurons, picoPerToken, priceId, usd } from '@incipit/core'
import type { LayeredRow, PriceLayer } from './layered-prices.ts'
import { upstreamOf } from './upstream-key.ts'

/** Rates for people and programs: USD per million tokens; null = not known. */
export interface RatesJson {
  readonly input: number | null
  readonly read: number | null
  readonly write_5m: number | null
  readonly write_30m: number | null
  readonly write_1h: number | null
  readonly write_12h: number | null
  readonly output: number | null
  /** Per hour. */
  readonly storage: number | null
}

/** One row of a price list. */
export interface PriceJson {
  readonly object: 'price'
  readonly id: string
  readonly layer: PriceLayer
  /** Null for a price of an upstream. */
  readonly provider: string | null
  readonly upstream: string | null
  readonly model: string
  /** It is what a request at that time costs, of the size and at the hour that the row is for. */
  readonly applies: boolean
  readonly from: string | null
  readonly until: string | null
  readonly prompt_tokens_over: number | null
  readonly prompt_tokens_up_to: number | null
  readonly utc_hours: PriceRow['hours'] | null
  readonly usd_per_mtok: RatesJson
  readonly neurons_per_mtok: { readonly input: number | null; readonly output: number | null } | null
  readonly tiers: Readonly<Record<string, number>>
  readonly source: string
  readonly as_of: string
  readonly certainty: string
  readonly unverified: readonly string[]
  readonly note: string | null
}

/** @example ratesJson(price).input // 4 */
export function ratesJson(rates: Rates): RatesJson {
  const { input, read, write5m, write30m, write1h, write12h, output, storagePerTokenHour } = rates
  return {
    input: perMillion(input),
    read: perMillion(read),
    write_5m: perMillion(write5m),
    write_30m: perMillion(write30m),
    write_1h: perMillion(write1h),
    write_12h: perMillion(write12h),
    output: perMillion(output),
    storage: perMillion(storagePerTokenHour),
  }
}

/** @example priceJson(layered, rates, true) */
export function priceJson({ layer, list, row }: LayeredRow, rates: Rates, applies: boolean): PriceJson {
  const tiers = Object.entries(row.tiers ?? {}).map(([name, factor]): [string, number] => [name, Number(factor)])
  const upstream = upstreamOf(row.provider)
  return {
    object: 'price',
    id: priceId(list, row, undefined),
    layer,
    provider: upstream === undefined ? row.provider : null,
    upstream: upstream ?? null,
    model: row.model,
    applies,
    from: row.from ?? null,
    until: row.until ?? null,
    prompt_tokens_over: row.over ?? null,
    prompt_tokens_up_to: row.upTo ?? null,
    utc_hours: row.hours ?? null,
    usd_per_mtok: ratesJson(rates),
    neurons_per_mtok: row.provider === 'workers-ai' ? neuronsOf(row) : null,
    tiers: Object.fromEntries(tiers),
    source: row.source,
    as_of: row.asOf,
    certainty: row.certainty,
    unverified: row.unverified ?? [],
    note: row.note ?? null,
  }
}

/** What a price that was found says of itself. */
export function foundPriceJson(price: Price): Record<string, unknown> {
  const { id, source, asOf, certainty, unverified } = price
  return { id, source, as_of: asOf, certainty, unverified, usd_per_mtok: ratesJson(price) }
}

const million = 1_000_000n

function perMillion(rate: PicoUsd | undefined): number | null {
  return rate === undefined ? null : usd((rate * million) as PicoUsd)
}

function neuronsOf({ input, output }: PriceRow): { input: number | null; output: number | null } {
  return { input: neuronsPerMillion(input), output: neuronsPerMillion(output) }
}

function neuronsPerMillion(price: DecimalText | undefined): number | null {
  return price === undefined ? null : Math.round(neurons((picoPerToken(price) * million) as PicoUsd))
}
