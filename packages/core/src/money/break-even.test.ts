import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { picoUsd } from '../domain/money.ts'
import { epochMs } from '../domain/units.ts'
import { breakEvenReads, breakEvenReadsPerHour } from './break-even.ts'
import { picoPerToken } from './decimal.ts'
import { localPrices } from './local-prices/index.ts'
import { neurons } from './neurons.ts'
import { PriceList } from './price-list.ts'
import type { Price, WriteTtl } from './price.ts'

const local = new PriceList('local', localPrices)
const at = epochMs(Date.UTC(2026, 10, 25))

function priceOf(provider: string, model: string): Price {
  const price = local.find({ provider, model, at, promptTokens: 10_000 })
  if (price === undefined) throw new Error(`no price for ${model}`)
  return price
}

function breakEven(provider: string, model: string, ttl: WriteTtl): number | undefined {
  const { input, read, ...price } = priceOf(provider, model)
  const write = price[`write${ttl}`]
  if (input === undefined || read === undefined || write === undefined) throw new Error('no rates')
  return breakEvenReads({ input, read, write })
}

test('P-4 break-even is stated in reads: 1 for a 5 m write, 2 for a 1 h write, which is a use more', () => {
  for (const model of ['claude-opus-5', 'claude-opus-5-5', 'claude-fable-5-1', 'claude-haiku-4-5']) {
    expect([breakEven('anthropic', model, '5m'), breakEven('anthropic', model, '1h')]).toEqual([1, 2])
  }
  expect([breakEven('openai', 'gpt-6.1-terra', '30m'), breakEven('openai', 'gpt-6.1-terra', '12h')]).toEqual([1, 2])
  expect(breakEven('alibaba', 'qwen3.7-plus', '5m')).toBe(1)
  expect([breakEven('moonshot', 'kimi-k3.1-pro', '5m'), breakEven('moonshot', 'kimi-k3.1-pro', '1h')]).toEqual([0, 2])
  expect(breakEven('openai', 'gpt-4o', '5m')).toBe(0)
})

test('P-4 beside storage it is stated in reads per hour', () => {
  const perHour = (model: string): number | undefined => {
    const { input, read, storagePerTokenHour } = priceOf('gemini', model)
    if (input === undefined || read === undefined || storagePerTokenHour === undefined) throw new Error('no rates')
    return breakEvenReadsPerHour({ input, read, storagePerTokenHour })
  }
  expect(perHour('gemini-3.8-flash')).toBe(1)
  // 4 reads an hour are exactly what storing costs; a fifth pays.
  expect(perHour('gemini-2.5-pro')).toBe(5)
})

test('P-4 where reading costs as much as not, no number of reads pays', () => {
  const rate = picoPerToken('2')
  expect(breakEvenReads({ input: rate, write: picoPerToken('2.5'), read: rate })).toBeUndefined()
  expect(breakEvenReadsPerHour({ input: rate, read: rate, storagePerTokenHour: picoUsd(1n) })).toBeUndefined()
})

test('P-4 break-even is the first number of reads at which one write and they cost less than no cache', () => {
  const rate = fc.bigInt({ min: 0n, max: 1_000n })
  fc.assert(
    fc.property(rate, rate, rate, (input, write, read) => {
      const found = breakEvenReads({ input: picoUsd(input), write: picoUsd(write), read: picoUsd(read) })
      const pays = (reads: bigint): boolean => write + reads * read < (reads + 1n) * input
      const loses = (reads: bigint): boolean => write + reads * read > (reads + 1n) * input
      let first: number | undefined
      for (let reads = 0; first === undefined && reads <= 2_000; reads += 1) if (pays(BigInt(reads))) first = reads
      // Where writing costs nothing extra there is nothing to win back, even before the first read.
      expect(found).toBe(write <= input ? 0 : first)
      expect(found === 0 && loses(0n)).toBe(false)
    }),
  )
})

test('P-4 an amount of Workers AI in neurons', () => {
  expect(neurons(picoUsd(11_000_000_000n))).toBe(1000)
  // A million input tokens of llama-3.2-1b-instruct, at 0.027 USD.
  expect(neurons(picoUsd(27_000_000_000n))).toBeCloseTo(2454.545, 3)
})
