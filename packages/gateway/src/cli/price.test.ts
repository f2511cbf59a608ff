import type { PriceRow } from '@incipit/core'
import { epochMs } from '@incipit/core'
import { expect, test } from 'vitest'
import { ConfigError } from '../config/config-error.ts'
import { LayeredPrices } from '../prices/layered-prices.ts'
import { showDifferences } from './price-diff.ts'
import type { PlanFlags } from './price-plan.ts'
import { showPlan } from './price-plan.ts'
import { showPrices } from './price-show.ts'
import type { PriceDesk } from './price.ts'
import { textBar, textTable } from './text-table.ts'

function desk(day: string, rows: readonly PriceRow[] = []): PriceDesk {
  return { book: new LayeredPrices(rows), at: epochMs(Date.parse(day)) }
}

const today = '2026-11-25T12:00:00Z'
const worked: PlanFlags = { provider: 'anthropic', model: 'claude-sonnet-4.6', tokens: 10_000, requests: 100 }

test('P-4 M-6 price plan shows the worked example of seed 001 as 3.00 and 0.335', () => {
  const text = showPlan(desk(today), worked)
  expect(text).toContain('no cache   3.00  ████████████████████████')
  expect(text).toContain('5m        0.335  ██▋                       88.9 %  1, 99          1 read')
  expect(text).toContain('1h        0.357  ██▉                       88.1 %  1, 99          2 reads')
  expect(text).toContain('Cache it, 5m: it saves 2.67 USD of 3.00.')
})

test('M-6 price plan takes prices instead of a model, and says when not to cache', () => {
  const { provider: _, model: __, ...rest } = worked
  const own = { ...rest, inputPrice: '3', readPrice: '0.30', writePrice: '3.75' }
  expect(showPlan(desk(today), own)).toContain('Cache it, 5m: it saves 2.67 USD of 3.00.')
  expect(showPlan(desk(today), { ...own, requests: 1 })).toContain(
    'Do not cache it.\n  one request: what it writes is never read.',
  )
  expect(showPlan(desk(today), { ...own, ttl: '1h', writePrice: '6' })).toMatch(/^1h .* 2 reads$/m)
  expect(showPlan(desk(today), { ...worked, tokens: 1000 })).toContain(
    '1000 shared tokens are fewer than the 1024 from which this model caches',
  )
})

test('M-6 price plan names the overhead that the claim of seed 004 leaves out', () => {
  const flags = { ...worked, orgSharedHitRate: 0.8, providerSaving: 0.35 }
  expect(showPlan(desk(today), flags)).toContain('(1 - 0.8) x (1 - 0.35) + 0 = 13 % of what no cache would cost.')
  expect(showPlan(desk(today), flags)).toContain('needs an overhead of 1.4 to 3 % that it does not name')
})

test('M-6 flags that do not fit together are refused by their own names', () => {
  const refused = (flags: Partial<PlanFlags>): unknown => {
    try {
      return showPlan(desk(today), { ...worked, ...flags })
    } catch (error) {
      return error
    }
  }
  expect(refused({ perHour: 1, gapSeconds: 1 })).toEqual(
    new ConfigError('--gap-seconds: must not stand beside --per-hour: one of them says how far requests are apart'),
  )
  expect(String(refused({ tokens: 1.5 }))).toContain('--tokens')
  expect(String(refused({ inputPrice: '-3', readPrice: '1' }))).toContain(
    '--input-price: must be USD per million tokens',
  )
  expect(String(refused({ inputPrice: '3' }))).toContain('--read-price')
  expect(String(refused({ ttl: '7m' }))).toContain('--ttl')
})

test('M-6 price plan takes the requests of a day where it is said how far they are apart', () => {
  const { requests: _, ...rest } = worked
  const shown = (flags: Partial<PlanFlags>): string => showPlan(desk(today), { ...rest, ...flags })
  expect(shown({ perHour: 40 })).toContain('960 requests a day that share 10000 tokens, 40 an hour at random.')
  expect(shown({ gapSeconds: 400 })).toContain('216 requests a day that share 10000 tokens, one every 400 seconds.')
  expect(shown({ gapSeconds: 1_000_000 })).toContain('1 request that shares 10000 tokens')
  const missing = new ConfigError(
    '--requests: must be given, or --per-hour or --gap-seconds: then it is those of a day',
  )
  expect(() => shown({})).toThrow(missing)
  expect(() => shown({ gapSeconds: 0 })).toThrow(missing)
})

test('M-6 price plan --json is what the API answers', () => {
  const { object, best } = JSON.parse(showPlan(desk(today), { ...worked, json: true })) as Record<string, unknown>
  expect(object).toBe('price_plan')
  expect(best).toMatchObject({ ttl: '5m', cost_usd: 0.3345 })
})

test('P-4 price show marks what is in force, and what nobody has confirmed', () => {
  const text = showPrices(desk(today), { model: 'gpt-5.6-sol', provider: 'openai' })
  expect(text).toMatch(/^\* {2}openai {4}gpt-5-6-sol {2}from 2026-11-22 +5 +0\.5 +30m 6\.25 .* local +2026-11-20 U\?/m)
  expect(text).toMatch(/^ {3}openai {4}gpt-5-6-sol {2}to 2026-11-21 +4 /m)
  expect(showPrices(desk('2026-11-21T12:00:00Z'), { model: 'gpt-5.6-sol', provider: 'openai' })).toMatch(
    /^\* {2}openai {4}gpt-5-6-sol {2}to 2026-11-21 +4 /m,
  )
  expect(showPrices(desk(today), { model: 'gemini-2.5-pro' })).toContain('nobody has confirmed storage')
  expect(showPrices(desk(today), { model: 'deepseek-flash' })).toContain(
    '01:00-04:00 on mon-fri 06:00-10:00 on mon-fri',
  )
  expect(showPrices(desk(today), { model: 'nothing' })).toBe('no price is known for nothing\n')
  expect(showPrices(desk(today), { model: 'Sonnet-5.5' })).toBe(
    'no price is known for Sonnet-5.5; it is a part of claude-sonnet-5-5\n',
  )
  const listed = JSON.parse(showPrices(desk(today), { json: true })) as { data: unknown[] }
  expect(listed.data.length).toBeGreaterThan(100)
})

test('P-4 price diff says per rate what each list has', () => {
  const own: PriceRow = {
    provider: 'openai',
    model: 'gpt-4o',
    input: '2',
    output: '10',
    source: 'prices.yaml:2',
    asOf: '2026-11-01',
    certainty: 'V',
  }
  const text = showDifferences(desk(today, [own]), {})
  expect(text).toMatch(/^openai +gpt-4o +input +2 +2\.5 +2\.5$/m)
  expect(text).not.toMatch(/^openai +gpt-4o +output/m)
  expect(text).toMatch(/^openai +gpt-5-6-sol +input +- +5 +4$/m)
  expect(text).toContain('operator/openai/gpt-4o@2026-11-01: prices.yaml:2, seen 2026-11-01')
  const json = JSON.parse(showDifferences(desk(today, [own]), { json: true })) as { differences: unknown[] }
  expect(json.differences).toContainEqual(
    expect.objectContaining({ rate: 'input', values: { operator: '2', local: '2.5', 'genai-prices': '2.5' } }),
  )
})

test('tables line up, and bars are as long as their share', () => {
  expect(
    textTable(
      [{ head: 'a' }, { head: 'n', right: true }],
      [
        ['bbb', '1'],
        ['c', '22'],
      ],
    ),
  ).toBe('a     n\nbbb   1\nc    22\n')
  expect([textBar(1, 1, 4), textBar(1, 2, 4), textBar(1, 32, 4), textBar(0, 1, 4), textBar(1, 0, 4)]).toEqual([
    '████',
    '██',
    '▏',
    '',
    '',
  ])
})
