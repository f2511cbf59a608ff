import type { PicoUsd } from '@incipit/core'
import {
  epochMs,
  milliseconds,
  orgId,
  picoUsd,
  sessionId,
  tokenCount,
  unreportedUsage,
  usd,
  wireHash,
} from '@incipit/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import type { LedgerEvent, Reuse } from '../packages/gateway/src/ledger/port.ts'
import { anEvent } from '../packages/gateway/src/ledger/testing/an-event.ts'
import { parseCsv } from './support/parse-csv.ts'
import { idAt, startSeeded } from './support/seeded-ledger.ts'

const [acme, bolt, admin] = ['key-of-acme-web-0001', 'key-of-bolt-web-0001', 'key-of-root-ops-0001']
const config = `
keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${bolt}, org: bolt, name: web-b, role: member }
  - { key: ${admin}, org: root, name: ops, role: admin }
`
const hour = 3_600_000
/** In Europe clocks went back on 27 October 2024, a day of 25 hours; they had gone forward on 31 March. */
const autumn = Date.UTC(2024, 9, 25)
const spring = Date.UTC(2024, 2, 30)

const reuses: readonly (Reuse | undefined)[] = ['first', 'same_session', 'same_session', 'across_sessions', undefined]
const inputs = [500, 1_000, 3_999, 4_000, 70_000, 300_000]

/** Requests of four days around each change of the clocks, one every 29 minutes, and what is no request. */
const requests: readonly LedgerEvent[] = [...around(spring, 0), ...around(autumn, 1_000)]
const events: readonly LedgerEvent[] = [
  ...requests,
  overhead(5_000, { kind: 'storage', cost: picoUsd(4_500_000_001n), storage: 1.5 }),
  overhead(5_001, { kind: 'ping', cost: picoUsd(20_000_000n) }),
  overhead(5_002, { kind: 'ping', cost: undefined }),
  overhead(5_003, { kind: 'prewarm', cost: undefined }),
  overhead(5_004, { kind: 'attempt', status: 503, errorCode: 'upstream_failed' }),
  // Of another organisation, long before and behind.
  anEvent(idAt(6_000), { at: epochMs(Date.UTC(2020, 0, 1)), org: orgId('bolt'), model: 'secret-model' }),
  anEvent(idAt(6_001), { at: epochMs(Date.UTC(2025, 0, 1)), org: orgId('bolt'), model: 'secret-model' }),
]
const ofAcme = requests

let gateway: ServerProcess
beforeAll(async () => {
  gateway = await startSeeded(events, { config })
})
afterAll(() => gateway.stop())

describe('totals', () => {
  test('M-1 hit rates per request and per token, and tokens in disjoint buckets, are sums over the events', async () => {
    const all = await summary('org=acme')
    expect(all).toMatchObject({ object: 'summary', interval: 'none', time_zone: 'UTC', group_by: [], truncated: false })
    expect(all).toMatchObject(naiveCounts(ofAcme))
    expect(all['rows']).toBeUndefined()
    const buckets = ['fresh', 'read', 'write_5m', 'write_30m', 'write_1h', 'write_12h']
    const sum = buckets.reduce((total, name) => total + Number(all[`${name}_tokens`]), 0)
    expect(sum).toBe(all['input_tokens'])
    expect(all['attempts']).toBe(1)
  })

  test('M-1 money is exact, and saved is net of what keeping caches cost', async () => {
    const all = await summary('org=acme')
    const priced = ofAcme.filter(({ cost }) => cost !== undefined)
    const compared = priced.filter(({ counterfactual }) => counterfactual !== undefined)
    const total = (
      of: readonly LedgerEvent[],
      name: 'cost' | 'costRead' | 'costWrite' | 'costOutput' | 'counterfactual',
    ) => of.reduce<bigint>((sum, event) => sum + (event[name] ?? 0n), 0n)
    const [storage, ping] = [4_500_000_001n, 20_000_000n]
    const saved = total(compared, 'counterfactual') - total(compared, 'cost') - storage - ping
    const [cost, read, write, output] = (['cost', 'costRead', 'costWrite', 'costOutput'] as const).map((name) =>
      total(priced, name),
    )
    expect(all).toMatchObject({
      cost_usd: dollars((cost ?? 0n) + storage + ping),
      cost_parts: {
        fresh: dollars((cost ?? 0n) - (read ?? 0n) - (write ?? 0n) - (output ?? 0n)),
        read: dollars(read ?? 0n),
        write: dollars(write ?? 0n),
        output: dollars(output ?? 0n),
        storage: dollars(storage),
        ping: dollars(ping),
        // There was one, and nobody knows its price.
        prewarm: null,
      },
      unpriced_requests: ofAcme.filter((event) => event.cost === undefined && event.inputTokens !== undefined).length,
      counterfactual_usd: dollars(total(compared, 'counterfactual')),
      compared_cost_usd: dollars(total(compared, 'cost')),
      overhead_usd: dollars(storage + ping),
      overhead: {
        storage: { events: 1, unpriced: 0, cost_usd: dollars(storage), token_hours: 1.5 },
        ping: { events: 2, unpriced: 1, cost_usd: dollars(ping) },
        prewarm: { events: 1, unpriced: 1, cost_usd: null },
      },
      saved_usd: dollars(saved),
    })
    expect(all['saved_ratio']).toBeCloseTo(Number(saved) / Number(total(compared, 'counterfactual')), 12)
  })

  test('M-1 an amount of which nothing is known is null, not 0', async () => {
    const all = await summary('model=unpriced')
    expect(all['unpriced_requests']).toBeGreaterThan(0)
    const { cost_usd, counterfactual_usd, saved_usd, saved_ratio, cost_parts } = all
    const parts = { fresh: null, read: null, write: null, output: null, storage: 0, ping: 0, prewarm: 0 }
    expect({ cost_usd, counterfactual_usd, saved_usd, saved_ratio, cost_parts }).toEqual({
      cost_usd: null,
      counterfactual_usd: null,
      saved_usd: null,
      saved_ratio: null,
      cost_parts: parts,
    })
  })

  test('M-1 ratios and rates are null while there is nothing to divide by', async () => {
    const none = await summary('model=none&since=2024-01-01&until=2024-01-02')
    expect(none).toMatchObject({
      requests: 0,
      hit_ratio_per_token: null,
      hit_ratio_per_request: null,
      cost_usd: 0,
      saved_ratio: null,
      ttft: { cold: { count: 0, p50_ms: null, p90_ms: null, p99_ms: null } },
      throughput: { requests_per_second: 0, seconds: 86_400 },
      headroom: { requests: null, tokens: null },
      reuse: { first: { ratio: null, within: null } },
    })
  })

  test('M-1 TTFT is told cold and warm, for all prompts and by their size', async () => {
    const { ttft } = await summary('org=acme')
    const bands = [0, 1_000, 4_000, 16_000, 64_000, 256_000]
    const shown = ttft as Ttft
    expect(shown.by_prompt_size.map(({ from, to }) => [from, to])).toEqual(
      bands.map((from, index) => [from, bands[index + 1] ?? null]),
    )
    expectPercentiles(shown, ofAcme)
    for (const band of shown.by_prompt_size) {
      const inBand = ({ inputTokens: size = -1 }: { inputTokens?: number | undefined }): boolean =>
        size >= band.from && size < (band.to ?? Infinity)
      expectPercentiles(band, ofAcme.filter(inBand))
    }
  })

  test('M-1 throughput names its seconds, headroom is the least that was left', async () => {
    const day = await summary('org=acme&since=2024-10-26&until=2024-10-27')
    const those = ofAcme.filter(({ at }) => at >= Date.UTC(2024, 9, 26) && at < Date.UTC(2024, 9, 27))
    const tokens = (of: (event: LedgerEvent) => number | undefined): number =>
      those.reduce((sum, event) => sum + (of(event) ?? 0), 0)
    expect(day['throughput']).toEqual({
      requests_per_second: those.length / 86_400,
      input_tokens_per_second: tokens((event) => event.inputTokens) / 86_400,
      output_tokens_per_second: tokens((event) => event.usage.output) / 86_400,
      seconds: 86_400,
      busy_seconds: tokens((event) => event.totalMs) / 1_000,
    })
    expect(day['headroom']).toEqual({
      requests: Math.min(...those.map((event) => event.requestHeadroom ?? Infinity)),
      tokens: null,
    })
  })

  test('M-3 cached over input tokens stands beside its published target, by where the cache could come from', async () => {
    const { reuse } = await summary('org=acme')
    const targets = { first: [0, 0], same_session: [0.6, 0.9], across_sessions: [0.4, 0.7] } as const
    for (const [name, target] of Object.entries(targets)) {
      const those = ofAcme.filter((event) => event.reuse === name)
      const input = those.reduce((sum, event) => sum + (event.inputTokens ?? 0), 0)
      const cached = those.reduce((sum, event) => sum + (event.cachedInputTokens ?? 0), 0)
      expect((reuse as Record<string, unknown>)[name]).toEqual({
        requests: those.length,
        input_tokens: input,
        cached_input_tokens: cached,
        ratio: cached / input,
        target,
        within: cached / input >= target[0] && cached / input <= target[1],
      })
    }
    expect(reuse).toMatchObject({
      first: { within: true },
      same_session: { within: true },
      across_sessions: { within: false },
    })
  })

  test('M-1 the control group stands beside the rest, and together they are all', async () => {
    const { control } = await summary('org=acme')
    const sides = control as Record<'control' | 'treated', Record<string, number>>
    const drawn = ofAcme.filter((event) => event.control)
    expect(sides.control).toMatchObject({
      requests: drawn.length,
      input_tokens: drawn.reduce((sum, event) => sum + (event.inputTokens ?? 0), 0),
    })
    expect((sides.control['requests'] ?? 0) + (sides.treated['requests'] ?? 0)).toBe(ofAcme.length)
    expect(sides.treated['hit_ratio_per_token']).toBeGreaterThan(0)
  })
})

describe('rows', () => {
  test.each([
    ['day', 'Europe/Berlin'],
    ['day', 'America/New_York'],
    ['hour', 'Asia/Kathmandu'],
    ['week', 'Europe/Berlin'],
    ['month', 'UTC'],
  ] as const)('M-1 by %s and model in %s they are what the events of each add up to', async (interval, timeZone) => {
    const { rows } = await summary(`org=acme&group_by=model&interval=${interval}&tz=${timeZone}&limit=5000`)
    const expected = new Map<string, LedgerEvent[]>()
    for (const event of ofAcme) {
      const key = `${startOf(event.at, interval, timeZone)} ${event.model}`
      expected.set(key, [...(expected.get(key) ?? []), event])
    }
    const shown = (rows as Row[]).filter(({ requests }) => requests > 0)
    expect(shown.map(({ start, group }) => `${localText(start, timeZone)} ${group['model']}`).sort()).toEqual(
      [...expected.keys()].sort(),
    )
    for (const row of shown) {
      const those = expected.get(`${localText(row.start, timeZone)} ${row.group['model']}`) ?? []
      expect(row).toMatchObject(naiveCounts(those))
    }
    const starts = (rows as Row[]).map(({ start }) => start ?? '')
    expect(starts).toEqual([...starts].sort())
  })

  test('M-1 a day of a clock change has 23 or 25 hours, and its rates are over those', async () => {
    const secondsOf = async (date: string, timeZone: string): Promise<unknown[]> => {
      const [from, to] = [date, new Date(Date.parse(date) + 24 * hour).toISOString().slice(0, 10)]
      const { rows } = await summary(`interval=day&tz=${timeZone}&since=${from}&until=${to}&org=acme`)
      return (rows as Row[]).map(({ start, throughput }) => [start, throughput['seconds']])
    }
    expect(await secondsOf('2024-10-27', 'Europe/Berlin')).toEqual([['2024-10-26T22:00:00.000Z', 25 * 3_600]])
    expect(await secondsOf('2024-03-31', 'Europe/Berlin')).toEqual([['2024-03-30T23:00:00.000Z', 23 * 3_600]])
    expect(await secondsOf('2024-10-27', 'UTC')).toEqual([['2024-10-27T00:00:00.000Z', 24 * 3_600]])
  })

  test.each([
    ['2024-10-27', '2024-10-28', 25],
    ['2024-03-31', '2024-04-01', 23],
  ])('M-1 %s has an hour more or less, none of them counts for another', async (since, until, hours) => {
    const query = `interval=hour&tz=Europe/Berlin&since=${since}&until=${until}&org=acme`
    const all = await summary(query)
    const rows = all['rows'] as Row[]
    expect(rows.map(({ throughput }) => throughput['seconds'])).toEqual(Array.from({ length: hours }, () => 3_600))
    expect(new Set(rows.map(({ start }) => start)).size).toBe(hours)
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(all['requests'])
  })

  test('an interval that begins before `since` counts from there on only', async () => {
    const { rows } = await summary('org=acme&interval=day&since=2024-10-26T18:00:00Z&until=2024-10-27T06:00:00Z')
    expect((rows as Row[]).map(({ start, throughput }) => [start, throughput['seconds']])).toEqual([
      ['2024-10-26T00:00:00.000Z', 6 * 3_600],
      ['2024-10-27T00:00:00.000Z', 6 * 3_600],
    ])
  })

  test('what is not known is a group of its own', async () => {
    const { rows, group_by: groupBy } = await summary('org=acme&group_by=upstream,reuse')
    expect(groupBy).toEqual(['upstream', 'reuse'])
    const groups = (rows as Row[]).map(({ group }) => group)
    expect(groups).toContainEqual({ upstream: null, reuse: null })
    expect(groups).toContainEqual({ upstream: 'up-1', reuse: 'same_session' })
    expect((rows as Row[])[0]?.start).toBeNull()
  })

  test.each([
    ['provider=openai', ({ provider }: LedgerEvent) => provider === 'openai'],
    ['status=502', ({ status }: LedgerEvent) => status === 502],
    ['kind=request', () => true],
    ['kind=ping', () => false],
    ['verdict=partial&model=model-0', (event: LedgerEvent) => event.verdict === 'partial' && event.model === 'model-0'],
    [`session=ses_${'0'.repeat(31)}3`, ({ session }: LedgerEvent) => session?.endsWith('3') === true],
    ['since=2024-03-31T00:10:00Z&until=2024-10-26T13:37:00Z', between],
  ] as const)('M-1 the filters of events hold for sums as well: %s', async (query, matches) => {
    expect(await summary(`org=acme&${query}`)).toMatchObject(naiveCounts(ofAcme.filter(matches)))
  })

  test('there are as many rows as the limit says, and whether there are more', async () => {
    const few = await summary('group_by=model&limit=1')
    expect([(few['rows'] as Row[]).length, few['truncated']]).toEqual([1, true])
    const all = await summary('group_by=model&limit=4')
    expect([(all['rows'] as Row[]).length, all['truncated']]).toEqual([4, false])
  })

  test('M-1 as a table they are the same, with columns named by their path', async () => {
    const query = 'org=acme&group_by=model,upstream&interval=week&tz=Europe/Berlin'
    const { rows } = await summary(query)
    const answer = await ask(`/v1/summary?${query}&format=csv`)
    expect(answer.headers.get('content-disposition')).toMatch(/filename="incipit-summary-/)
    const table = parseCsv(await answer.text())
    expect(table).toHaveLength((rows as Row[]).length)
    for (const [index, row] of table.entries()) {
      const { start, group, requests, hit_ratio_per_token, ttft, reuse, cost_parts } =
        (rows as Row[])[index] ?? absent()
      expect(row).toMatchObject({
        start,
        local_start: expect.stringMatching(/^\d{4}-\d\d-\d\d 00:00:00$/) as string,
        model: group['model'],
        upstream: group['upstream'],
        requests: String(requests),
        hit_ratio_per_token: textOf(hit_ratio_per_token),
        ttft_warm_p90_ms: textOf(ttft.warm.p90_ms),
        reuse_same_session_ratio: textOf(reuse['same_session']?.ratio),
        cost_parts_read: textOf(cost_parts['read']),
      })
    }
    const empty = parseCsv(await (await ask('/v1/summary?model=none&format=csv&group_by=model&interval=day')).text())
    expect(empty).toEqual([])
  })
})

describe('who sees what', () => {
  test('M-2 a member sums up its own organisation: no row, name or time of another shows', async () => {
    const text = await (await ask('/v1/summary?group_by=org,model&interval=month', acme)).text()
    expect(text).not.toMatch(/bolt|secret-model|2020|2025-01-01/)
    const own = JSON.parse(text) as Summary
    expect(own).toMatchObject(naiveCounts(ofAcme))
    expect(own['since']).toBe(new Date(spring).toISOString())
    expect(await (await ask('/v1/prefixes', bolt)).json()).toEqual({ object: 'list', data: [] })
    for (const path of ['/v1/summary?org=bolt', '/v1/summary?org=nobody', '/v1/prefixes?org=bolt']) {
      expect((await ask(path, acme)).status).toBe(403)
    }
  })

  test('M-1 prefixes: which are reused and which never', async () => {
    const { data } = (await (await ask('/v1/prefixes?limit=10&upstream=up-1', acme)).json()) as { data: unknown[] }
    const expected = ['00000000000000aa', '00000000000000bb'].map((prefix) => {
      const those = ofAcme.filter((event) => event.wireHash === prefix && event.upstream === 'up-1')
      const cached = those.reduce((sum, event) => sum + (event.cachedInputTokens ?? 0), 0)
      return {
        prefix,
        requests: those.length,
        sessions: new Set(those.map(({ session }) => session)).size,
        input_tokens: those.reduce((sum, event) => sum + (event.inputTokens ?? 0), 0),
        cached_input_tokens: cached,
        first_seen: new Date(Math.min(...those.map(({ at }) => at))).toISOString(),
        last_seen: new Date(Math.max(...those.map(({ at }) => at))).toISOString(),
        reused: cached > 0,
      }
    })
    expect(data).toEqual(expected.sort((a, b) => b.input_tokens - a.input_tokens))
    expect(new Set(expected.map(({ reused }) => reused))).toEqual(new Set([true, false]))
  })
})

test.each([
  ['/v1/summary?group_by=colour', 'group_by names "colour", known are org, key'],
  ['/v1/summary?group_by=org,key,model,cause,verdict', 'group_by names 5 keys, 4 allowed'],
  ['/v1/summary?group_by=model,model', 'group_by names model twice'],
  ['/v1/summary?group_by=', 'group_by is empty'],
  ['/v1/summary?interval=year', 'interval is "year", allowed are none, hour, day, week, month'],
  ['/v1/summary?interval=hour', 'are more than 20000'],
  ['/v1/summary?interval=day&tz=Mars/Phobos', 'tz is "Mars/Phobos"'],
  ['/v1/summary?limit=0', 'limit is "0", allowed are 1 to 5000'],
  ['/v1/summary?limit=5001', 'limit is "5001", allowed are 1 to 5000'],
  ['/v1/summary?format=jsonl', 'format is "jsonl", allowed are json, csv'],
  ['/v1/summary?cursor=a', 'there is no parameter "cursor"'],
  ['/v1/summary?interval=day&interval=hour', 'interval is given 2 times'],
  ['/v1/prefixes?limit=1001', 'limit is "1001", allowed are 1 to 1000'],
  ['/v1/prefixes?group_by=model', 'there is no parameter "group_by"'],
])('%s is refused: %s', async (path, message) => {
  const answer = await ask(path)
  expect([answer.status, ((await answer.json()) as { error: { message: string } }).error.message]).toEqual([
    400,
    expect.stringContaining(message),
  ])
})

type Summary = Readonly<Record<string, unknown>>

interface Row {
  readonly start: string | null
  readonly group: Readonly<Record<string, string | null>>
  readonly requests: number
  readonly hit_ratio_per_token: number | null
  readonly throughput: Readonly<Record<string, number | null>>
  readonly ttft: Temperatures
  readonly reuse: Readonly<Record<string, { readonly ratio: number | null }>>
  readonly cost_parts: Readonly<Record<string, number | null>>
}

interface Percentiles {
  readonly count: number
  readonly p50_ms: number | null
  readonly p90_ms: number | null
  readonly p99_ms: number | null
}

interface Temperatures {
  readonly cold: Percentiles
  readonly warm: Percentiles
}

interface Ttft extends Temperatures {
  readonly by_prompt_size: readonly (Temperatures & { readonly from: number; readonly to: number | null })[]
}

/** Requests of four days from an instant on: every figure follows from their number alone. */
function around(begin: number, first: number): LedgerEvent[] {
  return Array.from({ length: 198 }, (_, index) => aRequest(begin + index * 29 * 60_000, first + index))
}

function aRequest(at: number, number: number): LedgerEvent {
  const reported = number % 11 !== 0
  return anEvent(idAt(number), {
    at: epochMs(at),
    org: orgId('acme'),
    session: sessionId(`ses_${String(number % 7).padStart(32, '0')}`),
    model: number % 4 === 3 ? 'unpriced' : `model-${number % 2}`,
    provider: number % 3 === 1 ? 'openai' : undefined,
    upstream: number % 3 === 0 ? undefined : `up-${number % 3}`,
    control: number % 9 === 0,
    ttftMs: milliseconds(50 + (number % 37) * 11.5),
    totalMs: milliseconds(1_000 + number),
    requestHeadroom: (number % 10) / 10 + 0.05,
    ...(number % 13 === 0 ? { status: 502, errorCode: 'upstream_failed' } : {}),
    ...tokensOf(number, reported),
  })
}

/** Three quarters are read within a session, a hundred tokens across sessions, and the first request writes as many. */
function tokensOf(number: number, reported: boolean): Partial<LedgerEvent> {
  const reuse = reuses[number % reuses.length]
  const input = inputs[number % inputs.length] ?? 0
  const cached = { first: 0, same_session: Math.floor(input * 0.75), across_sessions: 100, none: 0 }[reuse ?? 'none']
  const written = reuse === 'first' ? 100 : 0
  const hash = wireHash(cached > 0 ? '00000000000000aa' : '00000000000000bb')
  if (!reported) return { wireHash: hash }
  const [fresh, read] = [tokenCount(input - cached - written), tokenCount(cached)]
  return {
    wireHash: hash,
    reuse,
    verdict: cached === 0 ? 'cold' : number % 2 === 0 ? 'partial' : 'warm',
    usage: { ...unreportedUsage, fresh, read, write5m: tokenCount(written), output: tokenCount(number % 50) },
    inputTokens: tokenCount(input),
    cachedInputTokens: read,
    ...(number % 4 === 3 ? {} : moneyOf(number, { input, cached, written })),
  }
}

/** Some costs are known without what they would have been. */
function moneyOf(number: number, tokens: Record<'input' | 'cached' | 'written', number>): Partial<LedgerEvent> {
  const [plain, discounted, output] = [3_000_000n, 300_000n, 7n]
  const read = BigInt(tokens.cached) * discounted
  return {
    cost: picoUsd(BigInt(tokens.input - tokens.cached) * plain + read + output),
    costRead: picoUsd(read),
    costWrite: picoUsd(BigInt(tokens.written) * plain),
    costOutput: picoUsd(output),
    counterfactual: number % 5 === 4 ? undefined : picoUsd(BigInt(tokens.input) * plain + output),
  }
}

function overhead(number: number, fields: Partial<LedgerEvent>): LedgerEvent {
  return anEvent(idAt(number), { at: epochMs(autumn + hour), org: orgId('acme'), model: 'model-0', ...fields })
}

/** What a summary says of these requests, added up one by one. */
function naiveCounts(those: readonly LedgerEvent[]): Summary {
  const count = (matches: (event: LedgerEvent) => boolean): number => those.filter(matches).length
  const sum = (of: (event: LedgerEvent) => number | undefined): number =>
    those.reduce((total, event) => total + (of(event) ?? 0), 0)
  const input = sum((event) => event.inputTokens)
  const cached = sum((event) => event.cachedInputTokens)
  const measured = count((event) => event.inputTokens !== undefined)
  const warm = count((event) => (event.cachedInputTokens ?? 0) > 0)
  return {
    requests: those.length,
    warm_requests: warm,
    partial_requests: count((event) => event.verdict === 'partial'),
    failed_requests: count((event) => event.status >= 400),
    unreported_requests: those.length - measured,
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: sum((event) => event.usage.output),
    fresh_tokens: sum((event) => event.usage.fresh),
    read_tokens: sum((event) => event.usage.read),
    write_5m_tokens: sum((event) => event.usage.write5m),
    write_1h_tokens: 0,
    hit_ratio_per_token: input === 0 ? null : cached / input,
    hit_ratio_per_request: measured === 0 ? null : warm / measured,
  }
}

function between({ at }: LedgerEvent): boolean {
  return at >= Date.UTC(2024, 2, 31, 0, 10) && at < Date.UTC(2024, 9, 26, 13, 37)
}

function expectPercentiles(shown: Temperatures, those: readonly LedgerEvent[]): void {
  for (const temperature of ['cold', 'warm'] as const) {
    const sorted = those
      .filter((event) => event.cachedInputTokens !== undefined)
      .filter((event) => (event.cachedInputTokens ?? 0) > 0 === (temperature === 'warm'))
      .map((event) => Number(event.ttftMs))
      .sort((a, b) => a - b)
    const at = (share: number): number | undefined => sorted[Math.ceil(share * sorted.length) - 1]
    const { count, p50_ms, p90_ms, p99_ms } = shown[temperature]
    expect(count).toBe(sorted.length)
    for (const [percentile, share] of [
      [p50_ms, 0.5],
      [p90_ms, 0.9],
      [p99_ms, 0.99],
    ] as const) {
      // Without a request there is none, and otherwise it is within 5 %.
      const off = Math.abs((percentile ?? Number.NaN) / (at(share) ?? Number.NaN) - 1)
      expect([percentile === null, off < 0.05]).toEqual([sorted.length === 0, sorted.length > 0])
    }
  }
}

function dollars(pico: bigint): number {
  return usd(pico as PicoUsd)
}

/** The beginning of an interval as its clocks show it, found without knowing instants. */
function startOf(at: number, interval: 'hour' | 'day' | 'week' | 'month', timeZone: string): string {
  const shown = localText(new Date(at).toISOString(), timeZone)
  if (interval === 'hour') return `${shown.slice(0, 13)}:00${shown.slice(16)}`
  const date = new Date(`${shown.slice(0, 10)}T00:00:00Z`)
  if (interval === 'month') date.setUTCDate(1)
  if (interval === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return `${date.toISOString().slice(0, 10)} 00:00`
}

/** As clocks show it; an hour that they show twice is told apart by its offset. */
function localText(instant: string | null, timeZone: string): string {
  const date = new Date(instant ?? Number.NaN)
  return date.toLocaleString('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
}

function textOf(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

function absent(): never {
  throw new Error('there is no such row')
}

async function ask(path: string, key: string | undefined = admin): Promise<Response> {
  return fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${key}` } })
}

async function summary(query: string): Promise<Summary> {
  const answer = await ask(`/v1/summary?${query}`)
  const body = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status} ${body}`)
  return JSON.parse(body) as Summary
}
