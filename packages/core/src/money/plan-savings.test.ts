import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { usdText } from '../domain/money.ts'
import type { PicoUsd } from '../domain/money.ts'
import { epochMs } from '../domain/units.ts'
import { claimedEstimate, impliedOverhead, layeredEstimate, missSavingOf } from './layered-estimate.ts'
import { localPrices } from './local-prices/index.ts'
import { planSavings, savedBy } from './plan-savings.ts'
import { PriceList } from './price-list.ts'
import type { PriceRow } from './price-row.ts'
import type { Price } from './price.ts'
import type { PlanOption, SavingsInput, SavingsPlan } from './savings-plan.ts'

const at = epochMs(Date.UTC(2026, 10, 25))
const local = new PriceList('local', localPrices)

function found(price: Price | undefined): Price {
  if (price === undefined) throw new Error('no price')
  return price
}

function listed(provider: string, model: string): Price {
  return found(local.find({ provider, model, at, promptTokens: 10_000 }))
}

function priced(rates: Partial<PriceRow>): Price {
  const row: PriceRow = {
    provider: 'p',
    model: 'm',
    source: 'https://example.com',
    asOf: '2026-11-20',
    certainty: 'V',
    ...rates,
  }
  return found(new PriceList('test', [row]).find({ provider: 'p', model: 'm', at, promptTokens: 1 }))
}

const base: SavingsInput = {
  price: priced({ input: '3', read: '0.30', write: { '5m': '3.75' }, output: '15' }),
  minTokens: undefined,
  cacheableTokens: 10_000,
  requests: 100,
  arrivals: { kind: 'within-life' },
  varyingTokens: 0,
  outputTokens: 0,
  changedShare: 0,
  pattern: 'template',
  automaticSeconds: undefined,
}

type KnownPlan = Exclude<SavingsPlan, { verdict: 'unknown' }>

function plan(change: Partial<SavingsInput> = {}): KnownPlan {
  const made = planSavings({ ...base, ...change })
  if (made.verdict === 'unknown') throw new Error(`unknown: ${made.missing.join()}`)
  return made
}

function option(plan: KnownPlan, life: PlanOption['life']): PlanOption {
  const option = plan.options.find((option) => option.life === life)
  if (option === undefined) throw new Error(`no option ${life}`)
  return option
}

const codes = (plan: KnownPlan): string[] => plan.reasons.map(({ code }) => code)
const text = (amount: PicoUsd | undefined): string | undefined => (amount === undefined ? undefined : usdText(amount))

describe('the calculator', () => {
  test('P-4 M-6 the worked example of seed 001 comes out exactly: 3.00 and 0.3345 USD', () => {
    const made = plan()
    const { cost, writes, reads, breakEvenReads } = option(made, '5m')
    expect(text(made.uncached)).toBe('3')
    expect(text(cost)).toBe('0.3345')
    expect({ writes, reads, breakEvenReads }).toEqual({ writes: 1, reads: 99, breakEvenReads: 1 })
    expect(made.verdict).toBe('cache')
    expect(text(made.best.saved)).toBe('2.6655')
    // As Sonnet 4.6 is listed, it is the same.
    expect(text(option(plan({ price: listed('anthropic', 'claude-sonnet-4-6') }), '5m').cost)).toBe('0.3345')
  })

  test('P-4 M-6 for any traffic within a life the costs are those of the formula', () => {
    const million = fc.integer({ min: 0, max: 50_000_000 })
    const decimal = (millionths: number): string => (millionths / 1e6).toFixed(6)
    fc.assert(
      fc.property(
        fc.tuple(million, million, million),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 2_000_000 }),
        ([input, read, write], requests, cacheableTokens) => {
          const price = priced({ input: decimal(input), read: decimal(read), write: { '1h': decimal(write) } })
          const made = plan({ price, requests, cacheableTokens })
          const tokens = BigInt(cacheableTokens)
          const uncached = BigInt(requests) * tokens * BigInt(input)
          const cached = tokens * BigInt(write) + BigInt(requests - 1) * tokens * BigInt(read)
          const { cost, saved } = option(made, '1h')
          expect([made.uncached, cost, saved]).toEqual([uncached, cached, uncached - cached])
          expect(made.verdict).toBe(uncached > cached ? 'cache' : 'do_not_cache')
          expect(made.reasons.length > 0).toBe(made.verdict === 'do_not_cache')
        },
      ),
    )
  })

  test('M-6 whatever the traffic, each request is one write or one read, and the best is chosen by what it saves', () => {
    const prices = [
      listed('anthropic', 'claude-opus-5-5'),
      listed('openai', 'gpt-6.1-terra'),
      listed('openai', 'gpt-4o'),
      listed('gemini', 'gemini-3.8-flash'),
    ]
    const arrivals = fc.oneof(
      fc.constant({ kind: 'within-life' as const }),
      fc.record({ kind: fc.constant('even' as const), gapSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }) }),
      fc.record({ kind: fc.constant('random' as const), perHour: fc.double({ min: 1e-6, max: 1e9, noNaN: true }) }),
    )
    const input = fc.record({
      price: fc.constantFrom(...prices),
      arrivals,
      requests: fc.integer({ min: 1, max: 1_000_000_000 }),
      cacheableTokens: fc.integer({ min: 0, max: 1_000_000_000 }),
      changedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      minTokens: fc.constantFrom(undefined, 1024),
      automaticSeconds: fc.constantFrom(undefined, 300),
      pattern: fc.constantFrom('template', 'upload', 'retrieval'),
    })
    fc.assert(
      fc.property(input, (change) => {
        const made = plan(change)
        const isShort = change.minTokens !== undefined && change.cacheableTokens < change.minTokens
        for (const { writes, reads, cost, saved, storageCost, reasons } of made.options) {
          expect(writes + reads).toBe(isShort ? 0 : change.requests)
          expect(cost + saved).toBe(made.uncached)
          expect(storageCost >= 0n && cost >= storageCost).toBe(true)
          expect(reasons.length === 0).toBe(saved > 0n)
        }
        const most = made.options.map(savedBy).reduce((a, b) => (a > b ? a : b))
        expect(savedBy(made.best)).toBe(most)
        expect(made.verdict).toBe(most > 0n ? 'cache' : 'do_not_cache')
        expect(made.reasons.length > 0).toBe(made.verdict === 'do_not_cache')
      }),
    )
  })

  test('M-6 what comes after the shared tokens costs the same either way', () => {
    const made = plan({ varyingTokens: 500, outputTokens: 200 })
    expect(text(made.rest)).toBe('0.45')
    expect(text(made.uncached)).toBe('3')
    expect(plan({ outputTokens: 1, price: priced({ input: '1', read: '0.1', write: 'plain' }) }).rest).toBeUndefined()
  })

  test('M-6 when not to cache: one request, one document, changing beginnings, too short, too far apart', () => {
    expect(codes(plan({ requests: 1 }))).toEqual(['single_shot'])
    expect(text(plan({ requests: 1 }).best.saved)).toBe('-0.0075')
    expect(codes(plan({ requests: 1, pattern: 'upload' }))).toEqual(['one_off_upload'])
    expect(plan({ requests: 2, pattern: 'upload' }).verdict).toBe('cache')
    expect(codes(plan({ changedShare: 1, pattern: 'retrieval' }))).toEqual(['changing_retrieval'])
    expect(codes(plan({ changedShare: 0.9 }))).toEqual(['highly_variable'])
    expect(plan({ changedShare: 0.5 }).verdict).toBe('cache')
    expect(codes(plan({ minTokens: 10_001 }))).toEqual(['below_minimum'])
    expect(plan({ minTokens: 10_000 }).verdict).toBe('cache')
    expect(codes(plan({ arrivals: { kind: 'even', gapSeconds: 100_000 } }))).toEqual(['gap_longer_than_life'])
    expect(codes(plan({ price: priced({ input: '1', read: 'plain', write: 'plain' }) }))).toEqual(['no_discount'])
  })

  test('M-6 below the minimum nothing is written either: the cost is that of no cache', () => {
    const { writes, reads, saved, cost } = option(plan({ minTokens: 20_000 }), '5m')
    expect({ writes, reads, saved: text(saved), cost: text(cost) }).toEqual({
      writes: 0,
      reads: 0,
      saved: '0',
      cost: '3',
    })
  })

  test('M-6 lives are compared: for gaps of ten minutes an hour wins over five minutes', () => {
    const made = plan({
      price: listed('anthropic', 'claude-opus-5'),
      arrivals: { kind: 'even', gapSeconds: 600 },
    })
    expect(option(made, '5m')).toMatchObject({ writes: 100, reads: 0 })
    expect(text(option(made, '5m').saved)).toBe('-1.25')
    expect(option(made, '5m').reasons.map(({ code }) => code)).toEqual(['gap_longer_than_life'])
    expect(option(made, '1h')).toMatchObject({ writes: 1, reads: 99, reasons: [] })
    expect(made.best.life).toBe('1h')
    expect(made.keepAlive).toBe(false)
  })

  test('M-6 a gap of exactly the life still reads', () => {
    const reads = (gapSeconds: number): number => option(plan({ arrivals: { kind: 'even', gapSeconds } }), '5m').reads
    expect([reads(300), reads(300.001)]).toEqual([99, 0])
  })

  test('M-6 pings are offered, and win where they cost less than what they keep', () => {
    const price = listed('anthropic', 'claude-opus-5-5')
    const made = plan({ price, requests: 10, arrivals: { kind: 'even', gapSeconds: 600 } })
    // After 240 and 480 seconds, so that the next request at 600 reads.
    expect(option(made, '5m').keepAlive).toMatchObject({ everySeconds: 240, pings: 18 })
    expect(text(option(made, '5m').keepAlive?.pingCost)).toBe('0.036')
    expect(text(option(made, '5m').keepAlive?.cost)).toBe('0.104')
    expect(text(option(made, '1h').cost)).toBe('0.098')
    const far = plan({ price, requests: 10, arrivals: { kind: 'even', gapSeconds: 3660 } })
    expect(far.best.life).toBe('1h')
    expect(far.keepAlive).toBe(true)
    expect(far.best.keepAlive).toMatchObject({ everySeconds: 2880, pings: 9 })
    expect(far.verdict).toBe('cache')
  })

  test('M-6 random arrivals: some gaps outlive the cache', () => {
    const made = plan({ requests: 1001, arrivals: { kind: 'random', perHour: 12 } })
    // Of gaps of 5 minutes on average 1 in e is longer than 5 minutes.
    expect(option(made, '5m')).toMatchObject({ writes: 369, reads: 632 })
    expect(option(made, '5m').keepAlive?.pings).toBe(816)
  })

  test('M-6 a cache kept by the provider costs nothing to try; one billed by the hour has to be read', () => {
    const automatic = plan({ price: listed('openai', 'gpt-4o') })
    expect(automatic.options.map(({ life }) => life)).toEqual(['automatic'])
    expect(option(automatic, 'automatic').breakEvenReads).toBe(0)
    const gemini = { price: listed('gemini', 'gemini-2.5-pro'), requests: 25 }
    const often = plan({ ...gemini, arrivals: { kind: 'even', gapSeconds: 600 } })
    expect(option(often, 'stored')).toMatchObject({ writes: 1, reads: 24, storageHours: 4, breakEvenReadsPerHour: 5 })
    expect(text(option(often, 'stored').storageCost)).toBe('0.18')
    // How long Gemini keeps what it caches by itself is not published.
    expect(option(often, 'automatic').atBest).toBe(true)
    expect(option(plan(gemini), 'automatic').atBest).toBe(false)
    const seldom = plan({ ...gemini, arrivals: { kind: 'even', gapSeconds: 3600 } })
    expect(option(seldom, 'stored').reasons.map(({ code }) => code)).toEqual(['storage_costs_more'])
  })

  test('M-6 without a price there is no plan, and it says what is missing', () => {
    const made = (rates: Partial<PriceRow>): SavingsPlan => planSavings({ ...base, price: priced(rates) })
    expect(made({ output: '1' })).toEqual({ verdict: 'unknown', missing: ['input', 'read'] })
    expect(made({ input: '1', read: '0.1' })).toEqual({ verdict: 'unknown', missing: ['write'] })
  })
})

describe('the layered estimate', () => {
  test('M-6 the claims of seed 004 imply an overhead of 1.4 to 3 points that it does not name', () => {
    const share = (missSaving: number): number =>
      layeredEstimate({ sharedHitRate: claimedEstimate.sharedHitRate, missSaving, overhead: 0 }).effectiveShare
    expect([share(0.42), share(0.35)]).toEqual([0.116, 0.13])
    expect(impliedOverhead()).toEqual({ low: 0.014, high: 0.03 })
    const { low, high } = impliedOverhead()
    expect(layeredEstimate({ sharedHitRate: 0.8, missSaving: 0.42, overhead: low }).effectiveShare).toBe(0.13)
    expect(layeredEstimate({ sharedHitRate: 0.8, missSaving: 0.35, overhead: high }).effectiveShare).toBe(0.16)
  })

  test('M-6 the saving of a miss follows from the cached part and its discount', () => {
    expect(missSavingOf({ inputShare: 1, prefixRatio: 0.7, readMultiplier: 0.5 })).toBe(0.35)
    expect(missSavingOf({ inputShare: 1, prefixRatio: 0.84, readMultiplier: 0.5 })).toBe(0.42)
  })
})
