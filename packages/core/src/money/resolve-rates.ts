import type { PicoUsd } from '../domain/money.ts'
import { picoPerToken, timesDecimal } from './decimal.ts'
import type { Rates, WriteTtl } from './price.ts'
import type { PriceRow, RateTexts } from './price-row.ts'

/** Names under which providers report, or take, the tier that costs what the list says. */
const standardTiers: ReadonlySet<string> = new Set(['standard', 'default', 'auto', 'on_demand'])

/** @example isStandardTier('default') // true */
export function isStandardTier(tier: string | undefined): boolean {
  return tier === undefined || standardTiers.has(tier.toLowerCase())
}

/**
 * The rates of a row for a service tier; `undefined` = the row does not say what that tier costs.
 * @throws RangeError when a rate is no decimal number, or finer than a picodollar per token
 * @example resolveRates(row, 'batch')?.input
 */
export function resolveRates(row: PriceRow, tier: string | undefined): Rates | undefined {
  const rates = ratesOf(row)
  if (isStandardTier(tier)) return rates
  const name = (tier ?? '').toLowerCase()
  const factor = row.tiers !== undefined && Object.hasOwn(row.tiers, name) ? row.tiers[name] : undefined
  if (factor === undefined) return undefined
  const times = (rate: PicoUsd | undefined): PicoUsd | undefined =>
    rate === undefined ? undefined : timesDecimal(rate, factor)
  return {
    input: times(rates.input),
    read: times(rates.read),
    write5m: times(rates.write5m),
    write30m: times(rates.write30m),
    write1h: times(rates.write1h),
    write12h: times(rates.write12h),
    output: times(rates.output),
    // Keeping a cache is not part of a request: no tier of one changes what it costs.
    storagePerTokenHour: rates.storagePerTokenHour,
  }
}

function ratesOf({ input, read, write, output, storage }: RateTexts): Rates {
  const plain = priced(input)
  const written = (ttl: WriteTtl): PicoUsd | undefined => (write === 'plain' ? plain : priced(write?.[ttl]))
  return {
    input: plain,
    read: read === 'plain' ? plain : priced(read),
    write5m: written('5m'),
    write30m: written('30m'),
    write1h: written('1h'),
    write12h: written('12h'),
    output: priced(output),
    storagePerTokenHour: priced(storage),
  }
}

function priced(text: string | undefined): PicoUsd | undefined {
  return text === undefined ? undefined : picoPerToken(text)
}
