import type { PicoUsd, Price, PriceQuery } from '@incipit/core'
import { costOf, epochMs, tokenCount, unreportedUsage, usd, usdText } from '@incipit/core'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { genAiPricesVersion, genAiRows, loadGenAiPrices } from './genai-prices.ts'
import { LayeredPrices } from './layered-prices.ts'
import { parsePriceFile } from './read-price-file.ts'

const november = epochMs(Date.UTC(2026, 10, 25, 12))

function book(yaml?: string): LayeredPrices {
  if (yaml === undefined) return new LayeredPrices([])
  const file = parsePriceFile(yaml, 'prices.yaml')
  if (file.kind === 'invalid') throw new Error(file.problems.join('\n'))
  return new LayeredPrices(file.rows)
}

function query(provider: string | undefined, model: string, rest: Partial<PriceQuery> = {}): PriceQuery {
  return { provider, model, at: november, promptTokens: 10_000, ...rest }
}

/** USD per million tokens of input, read, 5-minute write and output. */
function shown(price: Price | undefined): (string | undefined)[] {
  return [price?.input, price?.read, price?.write5m, price?.output].map((rate) =>
    rate === undefined ? undefined : usdText((rate * 1_000_000n) as PicoUsd),
  )
}

test('P-4 the operator goes before the local table, and that before genai-prices', () => {
  const yaml = `
prices:
  - { provider: anthropic, model: claude-opus-5.5, from: 2026-11-01, input: 3.2, read: 0.16, write: { 5m: 4 }, output: 16 }
  - { provider: anthropic, model: claude-opus-5, until: 2026-10-31, input: 1, output: 1 }
`
  const prices = book(yaml)
  const own = prices.find(query('anthropic', 'claude-opus-5-5'))
  expect(shown(own)).toEqual(['3.2', '0.16', '4', '16'])
  const id = expect.stringMatching(/^operator\/anthropic\/claude-opus-5-5@2026-11-01#[0-9a-f]{8}$/)
  expect(own).toMatchObject({ id, source: 'prices.yaml:3' })
  // Numbers that are changed in place are another price.
  expect(book(yaml.replace('3.2', '3.3')).find(query('anthropic', 'claude-opus-5-5'))?.id).not.toBe(own?.id)
  const listed = prices.find(query('anthropic', 'claude-opus-5'))
  expect(shown(listed)).toEqual(['5', '0.5', '6.25', '25'])
  expect(listed?.id).toBe('local/anthropic/claude-opus-5@2026-11-20')
  const other = prices.find(query('openai', 'gpt-4o-mini'))
  expect(shown(other)).toEqual(['0.15', '0.075', undefined, '0.6'])
  expect(other).toMatchObject({ id: 'genai-prices@0.1.8/openai/gpt-4o-mini@2026-09-23', certainty: 'S' })
})

test('P-4 an upstream priced by its name goes before its provider, and needs none', () => {
  const prices = book(`
prices:
  - { upstream: fleet, model: "*", input: 0.2, read: 0.02, write: plain, output: 0.6 }
  - { upstream: claude, model: claude-opus-5, input: 4, read: plain, output: 20 }
`)
  expect(shown(prices.find(query(undefined, 'llama', { upstream: 'fleet' })))).toEqual(['0.2', '0.02', '0.2', '0.6'])
  expect(shown(prices.find(query('anthropic', 'claude-opus-5', { upstream: 'claude' })))[0]).toBe('4')
  expect(shown(prices.find(query('anthropic', 'claude-opus-5', { upstream: 'other' })))[0]).toBe('5')
  expect(prices.find(query(undefined, 'llama', { upstream: 'nowhere' }))).toBeUndefined()
})

test('D-42 what nobody prices has no price', () => {
  for (const [provider, model] of [
    ['engine', 'demo'],
    ['vllm', 'gpt-4o'],
    ['my-openai', 'gpt-4o'],
    ['openai', 'gpt-nonexistent'],
    ['anthropic', 'x'.repeat(100_000)],
  ] as const) {
    expect(book().find(query(provider, model))).toBeUndefined()
  }
})

test('P-5 a model that genai-prices has not never takes the price of its namesake there', () => {
  const has = (provider: string, model: string): boolean => genAiRows(provider, model).length > 0
  for (const [provider, model] of [
    ['anthropic', 'claude-sonnet-5-7'],
    ['anthropic', 'claude-opus-4-5-mini'],
    ['openai', 'gpt-4o-mini-2'],
    ['gemini', 'gemini-2.5-flash-preview-of-something'],
    ['bedrock', 'global.anthropic.claude-sonnet-5-7-v1:0'],
    ['bedrock', 'gpt-5.6-sol-mini'],
    ['bedrock', 'titan-text-express-v1-mini'],
    ['mistral', 'mistral-large-latest-7'],
  ] as const) {
    expect([model, has(provider, model)]).toEqual([model, false])
  }
  for (const [provider, model] of [
    ['anthropic', 'claude-sonnet-4-5-20250929'],
    ['openai', 'gpt-4o-mini-2024-07-18'],
    ['gemini', 'gemini-2.0-flash-001'],
    ['gemini', 'gemini-2.5-flash-preview-09-2025'],
    ['bedrock', 'us.anthropic.claude-opus-4-5-20251101-v1:0'],
    ['bedrock', 'amazon.nova-pro-v1:0'],
    ['bedrock', 'gpt-5.6-sol'],
    ['openrouter', 'anthropic/claude-sonnet-4.5'],
  ] as const) {
    expect([model, has(provider, model)]).toEqual([model, true])
  }
})

test('P-4 sizes, days and hours of genai-prices are taken over', () => {
  expect(genAiRows('gemini', 'gemini-2.5-pro')).toMatchObject([
    { input: '1.25', read: '0.125', output: '10' },
    { over: 200_000, input: '2.5', read: '0.25', output: '15' },
  ])
  expect(genAiRows('gemini', 'gemini-3.6-flash')).toMatchObject([
    { input: '0.75' },
    { from: '2027-01-01', input: '1.5' },
  ])
  const flash = (text: string): unknown =>
    shown(book().find(query('deepseek', 'deepseek-v4-flash', { at: epochMs(Date.parse(text)) })))[0]
  expect(flash('2026-08-16T23:59:59Z')).toBe('0.14')
  expect(flash('2026-08-17T00:00:00Z')).toBe('0.22')
  expect(flash('2026-08-17T01:00:00Z')).toBe('0.44')
  expect(flash('2026-08-17T10:00:00Z')).toBe('0.22')
})

test('CF-9 P-4 a price from genai-prices gives the total that genai-prices itself calculates', () => {
  const counts = { fresh: 7_113, read: 250_017, output: 1_999 }
  const usage = {
    ...unreportedUsage,
    fresh: tokenCount(counts.fresh),
    read: tokenCount(counts.read),
    output: tokenCount(counts.output),
  }
  for (const [provider, providerId, model] of [
    ['openai', 'openai', 'gpt-4o-mini'],
    ['gemini', 'google', 'gemini-3-pro-preview'],
    ['bedrock', 'aws', 'anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['moonshot', 'moonshotai', 'kimi-k2-turbo-preview'],
    ['deepseek', 'deepseek', 'deepseek-v4-flash'],
    ['openrouter', 'openrouter', 'anthropic/claude-sonnet-4.5'],
  ] as const) {
    const theirs = loadGenAiPrices().calcPrice(
      {
        input_tokens: counts.fresh + counts.read,
        cache_read_tokens: counts.read,
        output_tokens: counts.output,
      },
      model,
      { providerId, timestamp: new Date(november) },
    )
    const price = book().find(query(provider, model, { promptTokens: counts.fresh + counts.read }))
    const cost = price && costOf(usage, price)
    expect(cost && usd(cost.total)).toBeCloseTo(theirs?.total_price ?? -1, 9)
  }
})

test('the version named in price ids is the one that is installed', async () => {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>
  }
  expect(manifest.dependencies['@pydantic/genai-prices']).toBe(genAiPricesVersion)
})
