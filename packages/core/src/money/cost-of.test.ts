import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { usdText } from '../domain/money.ts'
import type { PicoUsd } from '../domain/money.ts'
import { epochMs, tokenCount } from '../domain/units.ts'
import type { Usage } from '../domain/usage.ts'
import { unreportedUsage } from '../domain/usage.ts'
import { costOf, costOfStorage } from './cost-of.ts'
import { localPrices } from './local-prices/index.ts'
import { PriceList } from './price-list.ts'
import type { PriceRow } from './price-row.ts'
import type { Price } from './price.ts'

const local = new PriceList('local', localPrices)
const at = epochMs(Date.UTC(2026, 10, 25))

function priceOf(provider: string, model: string): Price {
  const price = local.find({ provider, model, at, promptTokens: 10_000 })
  if (price === undefined) throw new Error(`no price for ${model}`)
  return price
}

function usage(counts: Partial<Record<keyof Usage, number>>): Usage {
  const entries = Object.entries(counts).map(([name, count]) => [name, tokenCount(count)])
  return { ...unreportedUsage, ...Object.fromEntries(entries) }
}

const text = (amount: PicoUsd | undefined): string | undefined => (amount === undefined ? undefined : usdText(amount))

describe('the cost of an answer', () => {
  test('CF-9 cached input is priced at its discounted rate, and the total is the sum of the parts', () => {
    const cost = costOf(
      usage({ fresh: 31, read: 9216, write5m: 480, output: 12 }),
      priceOf('anthropic', 'claude-opus-5-5'),
    )
    expect(text(cost?.fresh)).toBe('0.000124')
    expect(text(cost?.read)).toBe('0.0018432')
    expect(text(cost?.write)).toBe('0.0024')
    expect(text(cost?.output)).toBe('0.00024')
    expect(text(cost?.total)).toBe('0.0046072')
    expect(text(cost?.counterfactual)).toBe('0.039148')
  })

  test('D-42 tokens written for an hour cost what an hour costs, not what five minutes do', () => {
    const price = priceOf('anthropic', 'claude-sonnet-4-6')
    expect(text(costOf(usage({ fresh: 0, read: 0, write1h: 1_000_000, output: 0 }), price)?.write)).toBe('6')
    expect(text(costOf(usage({ fresh: 0, read: 0, write5m: 1_000_000, output: 0 }), price)?.write)).toBe('3.75')
    const terra = priceOf('openai', 'gpt-6.1-terra')
    const both = costOf(usage({ fresh: 0, read: 0, write30m: 1_000_000, write12h: 1_000_000, output: 0 }), terra)
    expect(text(both?.write)).toBe('3.75')
  })

  test('D-42 a rate that is not known makes the cost unknown, never free', () => {
    const price = priceOf('anthropic', 'claude-opus-5')
    expect(costOf(usage({ fresh: 1, read: 0, write30m: 1, output: 1 }), price)).toBeUndefined()
    expect(costOf(usage({ fresh: 1, read: 0, write30m: 0, output: 1 }), price)).toBeDefined()
    for (const rate of ['input', 'read', 'write5m', 'output'] as const) {
      const known = usage({ fresh: 1, read: 1, write5m: 1, output: 1 })
      expect(costOf(known, { ...price, [rate]: undefined })).toBeUndefined()
    }
  })

  test('D-42 tokens that were not reported make the cost unknown where it depends on them', () => {
    const discounted = priceOf('workers-ai', '@cf/moonshotai/kimi-k2.6')
    const plain = priceOf('workers-ai', '@cf/meta/llama-3.2-1b-instruct')
    expect(costOf(usage({ fresh: 100, output: 1 }), discounted)).toBeUndefined()
    expect(text(costOf(usage({ fresh: 100, output: 1 }), plain)?.total)).toBe('0.000002901')
    expect(costOf(usage({ read: 100, output: 1 }), plain)).toBeUndefined()
    expect(costOf(usage({ fresh: 100, read: 0 }), plain)).toBeUndefined()
    expect(costOf(unreportedUsage, plain)).toBeUndefined()
  })

  test('P-4 where writing costs no more than reading anew, written tokens cost what the input does', () => {
    const cost = costOf(
      usage({ fresh: 0, read: 0, write1h: 1_000_000, output: 0 }),
      priceOf('gemini', 'gemini-3.8-flash'),
    )
    expect([text(cost?.write), text(cost?.counterfactual)]).toEqual(['0.75', '0.75'])
  })

  test('P-4 storage is priced by the token-hour, rounded once', () => {
    const flash = priceOf('gemini', 'gemini-3.8-flash')
    expect(text(costOfStorage(flash, 1_000_000))).toBe('0.5')
    expect(text(costOfStorage(flash, 9_216 * 0.25))).toBe('0.001152')
    expect(costOfStorage(priceOf('openai', 'gpt-4o'), 1)).toBeUndefined()
    expect(costOfStorage(priceOf('openai', 'gpt-4o'), 0)).toBe(0n)
  })
})

/** A fraction in the schoolbook way: the independent calculation that the cost is compared with. */
interface Fraction {
  readonly top: bigint
  readonly bottom: bigint
}

function fraction(decimal: string): Fraction {
  const [whole = '', part = ''] = decimal.split('.')
  return { top: BigInt(`${whole}${part}`), bottom: 10n ** BigInt(part.length) }
}

const add = (a: Fraction, b: Fraction): Fraction => ({
  top: a.top * b.bottom + b.top * a.bottom,
  bottom: a.bottom * b.bottom,
})
const times = (a: Fraction, b: Fraction): Fraction => ({ top: a.top * b.top, bottom: a.bottom * b.bottom })

const decimalText = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 0, max: 6 }))
  .map(([whole, part, places]) => {
    const digits = String(part).padStart(6, '0').slice(0, places)
    return digits === '' ? String(whole) : `${whole}.${digits}`
  })
const count = fc.integer({ min: 0, max: 5_000_000 })

test('CF-9 P-4 for any usage and price the cost is that of exact fractions', () => {
  const prices = fc.record({
    input: decimalText,
    read: decimalText,
    output: decimalText,
    write: fc.record({ '5m': decimalText, '30m': decimalText, '1h': decimalText, '12h': decimalText }),
  })
  const counts = fc.record({
    fresh: count,
    read: count,
    write5m: count,
    write30m: count,
    write1h: count,
    write12h: count,
    output: count,
  })
  fc.assert(
    fc.property(prices, counts, (rates, tokens) => {
      const row: PriceRow = {
        provider: 'p',
        model: 'm',
        source: 'https://example.com',
        asOf: '2026-01-01',
        certainty: 'V',
        ...rates,
      }
      const price = new PriceList('test', [row]).find({ provider: 'p', model: 'm', at, promptTokens: 1 })
      const cost = price && costOf(usage(tokens), price)
      const million: Fraction = { top: 1n, bottom: 1_000_000n }
      const perToken = (rate: string, tokens: number): Fraction =>
        times(times(fraction(rate), million), { top: BigInt(tokens), bottom: 1n })
      const parts = [
        perToken(rates.input, tokens.fresh),
        perToken(rates.read, tokens.read),
        perToken(rates.write['5m'], tokens.write5m),
        perToken(rates.write['30m'], tokens.write30m),
        perToken(rates.write['1h'], tokens.write1h),
        perToken(rates.write['12h'], tokens.write12h),
        perToken(rates.output, tokens.output),
      ]
      const expected = parts.reduce(add)
      expect((cost?.total ?? -1n) * expected.bottom).toBe(expected.top * 10n ** 12n)
      expect(cost?.total).toBe((cost?.fresh ?? 0n) + (cost?.read ?? 0n) + (cost?.write ?? 0n) + (cost?.output ?? 0n))
      const { output, ...input } = tokens
      const uncached = add(
        perToken(
          rates.input,
          Object.values(input).reduce((sum, n) => sum + n, 0),
        ),
        perToken(rates.output, output),
      )
      expect((cost?.counterfactual ?? -1n) * uncached.bottom).toBe(uncached.top * 10n ** 12n)
    }),
  )
})
