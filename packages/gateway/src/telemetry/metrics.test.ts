import { IncipitError, milliseconds, orgId, picoUsd, tokenCount, unreportedUsage } from '@incipit/core'
import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { anEvent, reported } from '../ledger/testing/an-event.ts'
import type { LedgerEvent } from '../ledger/port.ts'
import { Metrics } from './metrics.ts'

const opened: Metrics[] = []
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close()
})

function open(options?: ConstructorParameters<typeof Metrics>[0]): Metrics {
  const metrics = new Metrics(options)
  opened.push(metrics)
  return metrics
}

const place = { upstream: 'oa', provider: 'openai', servedModel: 'gpt-x' }

/** The sum over series with these labels, whatever else they carry; `undefined` = there is none. */
async function valueOf(
  metrics: Metrics,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const lines = (await metrics.render(undefined))
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const fitting = lines.filter((line) =>
    Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)),
  )
  const values = fitting.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0)
}

test('M-1 a count that nobody reported makes no series: unknown is not zero', async () => {
  const metrics = open()
  metrics.observe(anEvent('1', place))
  expect(await valueOf(metrics, 'incipit_requests_total', { prefix: 'not_reported' })).toBe(1)
  expect(await valueOf(metrics, 'incipit_input_tokens_total')).toBeUndefined()
  expect(await valueOf(metrics, 'incipit_cached_input_tokens_total')).toBeUndefined()
  metrics.observe(anEvent('2', { ...place, ...reported({ fresh: 10, read: 0, output: 1 }) }))
  expect(await valueOf(metrics, 'incipit_input_tokens_total')).toBe(10)
  expect(await valueOf(metrics, 'incipit_cached_input_tokens_total')).toBe(0)
})

test('M-1 tokens come in disjoint kinds, writes by their life', async () => {
  const metrics = open()
  const usage = {
    ...unreportedUsage,
    fresh: tokenCount(1),
    read: tokenCount(20),
    write5m: tokenCount(300),
    write1h: tokenCount(4_000),
  }
  const sums = { inputTokens: tokenCount(4_321), cachedInputTokens: tokenCount(20) }
  metrics.observe(anEvent('1', { ...place, usage, ...sums }))
  const all = [
    await valueOf(metrics, 'incipit_fresh_input_tokens_total'),
    await valueOf(metrics, 'incipit_cached_input_tokens_total'),
    await valueOf(metrics, 'incipit_cache_write_tokens_total', { ttl: '5m' }),
    await valueOf(metrics, 'incipit_cache_write_tokens_total', { ttl: '1h' }),
  ]
  expect(all).toEqual([1, 20, 300, 4_000])
  expect(await valueOf(metrics, 'incipit_input_tokens_total')).toBe(4_321)
  expect(await valueOf(metrics, 'incipit_cache_write_tokens_total', { ttl: '30m' })).toBeUndefined()
})

test('CF-9 cost in parts and counterfactual in dollars; a cost without a counterfactual claims no saving', async () => {
  const metrics = open()
  const cost = {
    cost: picoUsd(1_000_000_000_000n),
    costRead: picoUsd(100_000_000_000n),
    costWrite: undefined,
    costOutput: picoUsd(650_000_000_000n),
  }
  metrics.observe(anEvent('1', { ...place, ...cost, counterfactual: picoUsd(3_000_000_000_000n) }))
  metrics.observe(anEvent('2', { ...place, cost: picoUsd(500_000_000_000n) }))
  expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'fresh' })).toBeCloseTo(0.25, 12)
  expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'read' })).toBeCloseTo(0.1, 12)
  expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'output' })).toBeCloseTo(0.65, 12)
  expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'unsplit' })).toBeCloseTo(0.5, 12)
  expect(await valueOf(metrics, 'incipit_counterfactual_usd_total')).toBeCloseTo(3.5, 12)
  expect(await valueOf(metrics, 'incipit_unpriced_requests_total')).toBeUndefined()
})

test('a credit leaves the counters as they are', async () => {
  const metrics = open()
  metrics.observe(anEvent('1', { ...place, cost: picoUsd(-1n) }))
  expect(await valueOf(metrics, 'incipit_requests_total')).toBe(1)
  expect(await valueOf(metrics, 'incipit_cost_usd_total')).toBeUndefined()
})

test('CF-9 the upkeep of a cache costs and saves nothing by itself; it is no request', async () => {
  const metrics = open()
  metrics.observe(anEvent('1', { ...place, kind: 'storage', cost: picoUsd(2_000_000_000_000n) }))
  metrics.observe(
    anEvent('2', {
      ...place,
      kind: 'ping',
      cost: picoUsd(1_000_000_000_000n),
      ...reported({ fresh: 5, read: 0, output: 1 }),
    }),
  )
  expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'storage' })).toBe(2)
  expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'ping' })).toBe(1)
  for (const name of ['counterfactual_usd', 'requests', 'input_tokens']) {
    expect(await valueOf(metrics, `incipit_${name}_total`)).toBeUndefined()
  }
})

test('a request with tokens and without a known cost is counted as unpriced', async () => {
  const metrics = open()
  metrics.observe(anEvent('1', { ...place, ...reported({ fresh: 5, read: 0, output: 1 }) }))
  metrics.observe(anEvent('2', { ...place, status: 502 }))
  const seen = (await metrics.render(undefined))
    .split('\n')
    .filter((line) => line.startsWith('incipit_unpriced_requests_total{'))
  expect(seen.map((line) => Number(line.slice(line.lastIndexOf(' '))))).toEqual([1])
})

test('the control group stands apart, and organisations only where they are asked for', async () => {
  const [plain, byOrg] = [open(), open({ orgLabel: true })]
  for (const metrics of [plain, byOrg]) {
    metrics.observe(anEvent('1', { ...place, org: orgId('acme'), control: true }))
    metrics.observe(anEvent('2', { ...place, org: orgId('bolt') }))
  }
  expect(await valueOf(plain, 'incipit_requests_total', { group: 'control' })).toBe(1)
  expect(await valueOf(plain, 'incipit_requests_total', { group: 'treated' })).toBe(1)
  expect(await plain.render(undefined)).not.toContain('acme')
  expect(await valueOf(byOrg, 'incipit_requests_total', { org: 'acme' })).toBe(1)
})

test('names that clients make up fill a bounded number of series', async () => {
  const metrics = open()
  for (let i = 0; i < 300; i++)
    metrics.observe(
      anEvent(String(i), { ...place, servedModel: `m${i}`, ...reported({ fresh: 1, read: 0, output: 1 }) }),
    )
  const lines = (await metrics.render(undefined))
    .split('\n')
    .filter((line) => line.startsWith('incipit_input_tokens_total{'))
  expect(lines).toHaveLength(201)
  expect(lines.find((line) => line.includes('model="other"'))).toMatch(/ 100$/)
})

test('time to the first token reaches to 80 s, whole durations further, and only streams have a rate', async () => {
  const metrics = open()
  const slow = {
    ttftMs: milliseconds(61_000),
    totalMs: milliseconds(71_000),
    ...reported({ fresh: 1, read: 0, output: 101 }),
  }
  metrics.observe(anEvent('1', { ...place, ...slow, stream: true }))
  metrics.observe(anEvent('2', { ...place, ...slow }))
  expect(await valueOf(metrics, 'incipit_time_to_first_token_seconds_bucket', { le: '40' })).toBe(0)
  expect(await valueOf(metrics, 'incipit_time_to_first_token_seconds_bucket', { le: '80' })).toBe(2)
  expect(await valueOf(metrics, 'incipit_request_duration_seconds_bucket', { le: '80' })).toBe(2)
  expect(await valueOf(metrics, 'incipit_output_tokens_per_second_sum')).toBe(10)
  expect(await valueOf(metrics, 'incipit_output_tokens_per_second_count')).toBe(1)
})

test('M-1 what is left of the limits of an upstream is shown as it said last, also by a refusal', async () => {
  const metrics = open()
  metrics.observe(anEvent('1', { ...place, requestHeadroom: 0.5, tokenHeadroom: 0.75 }))
  metrics.attemptFailed(anEvent('2', { ...place, kind: 'attempt', status: 429, requestHeadroom: 0 }))
  expect(await valueOf(metrics, 'incipit_rate_limit_headroom_ratio', { limit: 'requests' })).toBe(0)
  expect(await valueOf(metrics, 'incipit_rate_limit_headroom_ratio', { limit: 'tokens' })).toBe(0.75)
  expect(await valueOf(metrics, 'incipit_failed_attempts_total', { upstream: 'oa', status: '429' })).toBe(1)
})

test('verdicts with their causes, limits of ours, refusals', async () => {
  const metrics = open()
  metrics.observe(anEvent('1', { ...place, verdict: 'cold', cause: 'first_request' }))
  metrics.observe(anEvent('2', { ...place, verdict: 'warm' }))
  metrics.limited('rpm')
  metrics.refused('none', new IncipitError('unknown_route', 'nothing there'))
  expect(await valueOf(metrics, 'incipit_prefix_verdicts_total', { verdict: 'cold', cause: 'first_request' })).toBe(1)
  expect(await valueOf(metrics, 'incipit_prefix_verdicts_total', { verdict: 'warm', cause: 'none' })).toBe(1)
  expect(await valueOf(metrics, 'incipit_limited_total', { kind: 'rpm' })).toBe(1)
  expect(await valueOf(metrics, 'incipit_refused_total', { code: 'unknown_route' })).toBe(1)
})

test('what a ledger counts of itself is shown as it is, and lost rows also where it does not count', async () => {
  const metrics = open()
  metrics.lostEvent(3)
  expect(await valueOf(metrics, 'incipit_ledger_lost_events_total')).toBe(3)
  const counters = {
    stored: 9,
    lost: 5,
    late: 1,
    queued: 2,
    unimported: 4,
    unimportedBytes: 400,
    recovered: 7,
    garbage: 6,
    restarts: 8,
    pruned: 10,
    erased: 3,
    failing: true,
  }
  metrics.followLedger(() => counters)
  for (const [name, value] of [
    ['stored_events_total', 9],
    ['lost_events_total', 5],
    ['late_events_total', 1],
    ['recovered_events_total', 7],
    ['garbage_lines_total', 6],
    ['restarts_total', 8],
    ['queued_events', 2],
    ['unimported_rows', 4],
    ['unimported_bytes', 400],
  ] as const) {
    expect([name, await valueOf(metrics, `incipit_ledger_${name}`)]).toEqual([name, value])
  }
})

test('P-4 for any rows, looked at whenever, the counters add up to what an exact sum gives', async () => {
  const amounts = fc.record({
    fresh: fc.nat(1e6),
    read: fc.nat(1e6),
    output: fc.nat(1e5),
    cost: fc.bigInt(0n, 10n ** 13n),
    look: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(amounts, { minLength: 1, maxLength: 20 }), async (rows) => {
      const metrics = open()
      for (const [index, { fresh, read, output, cost, look }] of rows.entries()) {
        const fields: Partial<LedgerEvent> = { ...place, ...reported({ fresh, read, output }), cost: picoUsd(cost) }
        metrics.observe(anEvent(String(index), fields))
        if (look) await metrics.render(undefined)
      }
      const sum = (of: (row: (typeof rows)[number]) => number): number =>
        rows.reduce((total, row) => total + of(row), 0)
      expect(await valueOf(metrics, 'incipit_input_tokens_total')).toBe(sum(({ fresh, read }) => fresh + read))
      expect(await valueOf(metrics, 'incipit_output_tokens_total')).toBe(sum(({ output }) => output))
      const exact = Number(rows.reduce((total, { cost }) => total + cost, 0n)) / 1e12
      expect(await valueOf(metrics, 'incipit_cost_usd_total', { part: 'unsplit' })).toBeCloseTo(exact, 9)
    }),
    { numRuns: 30 },
  )
})
