import { describe, expect, test } from 'vitest'
import { usdText } from '../domain/money.ts'
import type { PicoUsd } from '../domain/money.ts'
import { epochMs } from '../domain/units.ts'
import { localPrices } from './local-prices/index.ts'
import { PriceList } from './price-list.ts'
import type { PriceRow } from './price-row.ts'
import type { Price, PriceQuery } from './price.ts'

const local = new PriceList('local', localPrices)
const at = (text: string): PriceQuery['at'] => epochMs(Date.parse(text))
const november = at('2026-11-25T12:00:00Z')

/** USD per million tokens of input, read and output. */
function shown(price: Price | undefined): (string | undefined)[] {
  return [price?.input, price?.read, price?.output].map(perMillion)
}

function perMillion(rate: PicoUsd | undefined): string | undefined {
  return rate === undefined ? undefined : usdText((rate * 1_000_000n) as PicoUsd)
}

function find(provider: string, model: string, rest: Partial<PriceQuery> = {}): Price | undefined {
  return local.find({ provider, model, at: november, promptTokens: 10_000, ...rest })
}

describe('the local table', () => {
  test('P-4 P-5 models are priced per provider, under the names that requests carry', () => {
    expect(shown(find('anthropic', 'claude-opus-4-5-20251101'))).toEqual(['5', '0.5', '25'])
    expect(shown(find('anthropic', 'anthropic/claude-fable-5.1'))).toEqual(['10', '0.25', '50'])
    expect(shown(find('fireworks', 'accounts/fireworks/models/kimi-k2p6'))).toEqual(['0.95', '0.16', '4'])
    expect(shown(find('fireworks', 'accounts/fireworks/models/deepseek-v4-pro-0813'))).toEqual([
      '1.32',
      '0.044',
      '3.96',
    ])
    expect(shown(find('workers-ai', '@cf/zai-org/glm-5.2'))).toEqual(['1.4', '0.26', '4.4'])
    expect(shown(find('groq', 'openai/gpt-oss-20b'))).toEqual(['0.075', '0.0375', '0.3'])
  })

  test('P-4 a model, a provider or a tier without a price has none', () => {
    expect(find('anthropic', 'claude-opus-4-9')).toBeUndefined()
    expect(find('openai', 'gpt-4o-mini')).toBeUndefined()
    expect(find('engine', 'demo')).toBeUndefined()
    expect(local.find({ provider: undefined, model: 'gpt-4o', at: november, promptTokens: 1 })).toBeUndefined()
    expect(find('anthropic', 'claude-opus-5', { serviceTier: 'priority' })).toBeUndefined()
  })

  test('P-4 a price changes at midnight UTC of its day, and not a millisecond before', () => {
    const sonnet = (text: string): unknown => shown(find('anthropic', 'claude-sonnet-5-5', { at: at(text) }))[1]
    expect(sonnet('2026-10-06T23:59:59.999Z')).toBe('0.2')
    expect(sonnet('2026-10-07T00:00:00.000Z')).toBe('0.1')
    const sol = (text: string): unknown => shown(find('openai', 'gpt-5.6-sol', { at: at(text) }))
    expect(sol('2026-11-21T23:59:59.999Z')).toEqual(['4', '0.4', '20'])
    expect(sol('2026-11-22T00:00:00.000Z')).toEqual(['5', '0.5', '30'])
    const flash = (text: string): unknown => shown(find('gemini', 'gemini-3.8-flash', { at: at(text) }))
    expect(flash('2026-12-31T23:59:59.999Z')).toEqual(['0.75', '0.075', '3.75'])
    expect(flash('2027-01-01T00:00:00.000Z')).toEqual(['1.5', '0.15', '7.5'])
  })

  test('P-4 the size of the prompt prices the whole request; the bound itself is still the lower price', () => {
    const haiku = (promptTokens: number): unknown => shown(find('anthropic', 'claude-haiku-5-5', { promptTokens }))
    expect(haiku(100_000)).toEqual(['0.1', '0.01', '0.5'])
    expect(haiku(100_001)).toEqual(['0.5', '0.05', '2.5'])
    const sol = (promptTokens: number): unknown => shown(find('openai', 'gpt-6-sol', { promptTokens }))
    expect(sol(272_000)).toEqual(['2', '0.2', '10'])
    expect(sol(272_001)).toEqual(['4', '0.4', '15'])
  })

  test('P-4 where the size is not known, neither is what depends on it', () => {
    const pro = find('gemini', 'gemini-2.5-pro', { promptTokens: undefined })
    expect(shown(pro)).toEqual([undefined, undefined, undefined])
    expect(perMillion(pro?.storagePerTokenHour)).toBe('4.5')
    expect(shown(find('anthropic', 'claude-opus-5', { promptTokens: undefined }))).toEqual(['5', '0.5', '25'])
  })

  test('P-4 hours of the day: from the first minute to the one before the last, on workdays', () => {
    const flash = (text: string): unknown => shown(find('deepseek', 'deepseek-flash', { at: at(text) }))[0]
    expect(flash('2026-11-25T00:59:59.999Z')).toBe('0.15')
    expect(flash('2026-11-25T01:00:00.000Z')).toBe('0.3')
    expect(flash('2026-11-25T03:59:59.999Z')).toBe('0.3')
    expect(flash('2026-11-25T04:00:00.000Z')).toBe('0.15')
    expect(flash('2026-11-25T09:59:59.999Z')).toBe('0.3')
    expect(flash('2026-11-25T10:00:00.000Z')).toBe('0.15')
    expect(flash('2026-11-27T23:59:59.999Z')).toBe('0.15') // Friday
    expect(flash('2026-11-28T02:00:00.000Z')).toBe('0.15') // Saturday
    expect(flash('2026-11-29T02:00:00.000Z')).toBe('0.15') // Sunday
    expect(flash('2026-11-30T01:00:00.000Z')).toBe('0.3') // Monday
  })

  test('P-4 service tiers multiply every rate, of the size that applies', () => {
    expect(shown(find('anthropic', 'claude-opus-5.5', { serviceTier: 'batch' }))).toEqual(['2', '0.1', '10'])
    expect(shown(find('anthropic', 'claude-opus-5.5', { serviceTier: 'fast' }))).toEqual(['8', '0.4', '40'])
    expect(shown(find('openai', 'gpt-6-sol', { serviceTier: 'flex' }))).toEqual(['1', '0.1', '5'])
    expect(shown(find('openai', 'gpt-6-sol', { serviceTier: 'priority' }))).toEqual(['4', '0.4', '20'])
    expect(shown(find('openai', 'gpt-6-sol', { serviceTier: 'default' }))).toEqual(['2', '0.2', '10'])
    const long = find('openai', 'gpt-6-sol', { serviceTier: 'batch', promptTokens: 300_000 })
    expect(shown(long)).toEqual(['2', '0.2', '7.5'])
    expect(long?.id).toBe('local/openai/gpt-6-sol@2026-11-20>272000+batch')
  })

  test('P-4 every row can be priced in every tier, says where it is from, and contends with no other', () => {
    const keys = localPrices.map(({ provider, model, from, until, over, upTo, hours }) =>
      JSON.stringify([provider, model, from, until, over, upTo, hours]),
    )
    expect(new Set(keys).size).toBe(keys.length)
    for (const row of localPrices) {
      expect(row.source).toMatch(/^https:\/\//)
      expect(row.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
      expect(row.model).not.toMatch(/[./A-Z]/)
      for (const tier of ['standard', ...Object.keys(row.tiers ?? {})]) {
        expect(new PriceList('local', [row]).rowsOf(row.provider, row.model)).toEqual([row])
        const day = epochMs(Date.parse(row.from ?? row.until ?? row.asOf))
        const hour = row.hours === undefined ? 0 : 3_600_000
        const price = new PriceList('local', [row]).find({
          provider: row.provider,
          model: row.model,
          at: epochMs(day + hour),
          promptTokens: row.upTo ?? (row.over ?? 0) + 1,
          serviceTier: tier,
        })
        expect(price?.input).toBeGreaterThan(0n)
        expect(price?.output).toBeGreaterThan(0n)
      }
    }
  })
})

describe('rows of a list', () => {
  const row = (rest: Partial<PriceRow>): PriceRow => ({
    provider: 'p',
    model: 'm',
    source: 'https://example.com',
    asOf: '2026-01-01',
    certainty: 'V',
    ...rest,
  })
  const input = (rows: readonly PriceRow[], query: Partial<PriceQuery> = {}): string | undefined =>
    shown(new PriceList('test', rows).find({ provider: 'p', model: 'm', at: november, promptTokens: 10, ...query }))[0]

  test('P-4 of rows in force the latest day counts, then hours, then size', () => {
    const rows = [
      row({ input: '1' }),
      row({ input: '2', from: '2026-11-01' }),
      row({ input: '3', over: 100 }),
      row({ input: '4', from: '2026-11-01', hours: [{ from: '13:00', until: '24:00' }] }),
      row({ input: '5', from: '2026-11-01', upTo: 5 }),
    ]
    expect(input(rows)).toBe('2')
    expect(input(rows, { promptTokens: 5 })).toBe('5')
    expect(input(rows, { at: at('2026-10-31T23:59:59Z') })).toBe('1')
    expect(input(rows, { at: at('2026-10-31T23:59:59Z'), promptTokens: 101 })).toBe('3')
    expect(input(rows, { at: at('2026-11-25T23:59:59.999Z'), promptTokens: 5 })).toBe('4')
    expect(input(rows.toReversed())).toBe('2')
  })

  test('P-4 P-5 a dated name has the row of its own before the general one; * is for those without any', () => {
    const rows = [row({ input: '1' }), row({ model: 'm-2024-05-13', input: '2' }), row({ model: '*', input: '3' })]
    expect(input(rows, { model: 'M-2024-08-06' })).toBe('1')
    expect(input(rows, { model: 'vendor/m-2024-05-13' })).toBe('2')
    expect(input(rows, { model: 'm-mini' })).toBe('3')
  })
})
