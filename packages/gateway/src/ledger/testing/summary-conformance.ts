import { epochMs, orgId, picoUsd, sessionId, tokenCount, wireHash } from '@incipit/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventFilter, Ledger, LedgerEvent, Summary, SummaryQuery } from '../port.ts'
import { anEvent, reported } from './an-event.ts'
import { difficultMoments, drawEvents, drawQuery } from './drawn-events.ts'
import { matches, summaryModel } from './summary-model.ts'

const hourMs = 3_600_000
const everything: SummaryQuery = { filter: {}, groupBy: [], interval: 'none', timeZone: 'UTC', limit: 10 }

/** What every ledger must do with summaries, pruning and erasing; part of `ledgerConformance`. */
export function summaryConformance(ledger: () => Ledger): void {
  describe('summaries', () => {
    test.each(difficultMoments)('M-3 in %s around %s they say what adding up says', async (zone, at) => {
      const moment = Date.parse(at)
      const events = drawEvents(moment, 100, 'a')
      await record(ledger(), events)
      expect((await ledger().events({}, { limit: 1_000 })).events).toHaveLength(events.length)
      for (const query of fc.sample(drawQuery(moment, zone), 12)) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expectModel(ledger(), events, query)
      }
    })

    test('M-3 money beyond what a double holds comes out to the last digit', async () => {
      const most = BigInt(Number.MAX_SAFE_INTEGER)
      const events = Array.from({ length: 50 }, (_, index) =>
        anEvent(`req_${index}`, { cost: picoUsd(most - BigInt(index)), counterfactual: picoUsd(-most) }),
      )
      await record(ledger(), events)
      const totals = (await ledger().summary(everything)).rows[0]?.totals
      expect(totals?.cost).toBe(50n * most - 1_225n)
      expect(totals?.counterfactual).toBe(-50n * most)
    })

    test('without rows there is one row of nothing, and no interval and no group', async () => {
      const nothing = await ledger().summary(everything)
      expect(nothing.rows).toHaveLength(1)
      expect(nothing.rows[0]?.totals).toMatchObject({ requests: 0, cost: 0n, overhead: [], ttft: [] })
      expect(await ledger().summary({ ...everything, interval: 'day' })).toMatchObject({ rows: [], truncated: false })
      expect(await ledger().summary({ ...everything, groupBy: ['model'] })).toMatchObject({ rows: [] })
    })

    test('days of 23 and 25 hours are days', async () => {
      const berlin = { ...everything, interval: 'day', timeZone: 'Europe/Berlin', limit: 100 } as const
      const from = Date.parse('2026-03-27T23:30:00Z')
      const hours = Array.from({ length: 72 }, (_, hour) =>
        anEvent(`req_${hour}`, { at: epochMs(from + hour * hourMs) }),
      )
      await record(ledger(), hours)
      const { rows } = await ledger().summary(berlin)
      expect(rows.map(({ start, totals }) => [new Date(start ?? 0).toISOString(), totals.requests])).toEqual([
        ['2026-03-27T23:00:00.000Z', 24],
        ['2026-03-28T23:00:00.000Z', 23],
        ['2026-03-29T22:00:00.000Z', 24],
        ['2026-03-30T22:00:00.000Z', 1],
      ])
    })

    test('rows of a clock that jumped back, and rows of the future, are where their time is', async () => {
      const times = ['2026-05-02', '2026-05-01', '2031-01-01', '2026-05-01', '1999-12-31']
      await record(
        ledger(),
        times.map((day, index) => anEvent(`req_${index}`, { at: epochMs(Date.parse(`${day}T12:00:00Z`)) })),
      )
      const { rows, since, until } = await ledger().summary({ ...everything, interval: 'day', limit: 100 })
      expect(
        rows.map(({ start, totals }) => [new Date(start ?? 0).toISOString().slice(0, 10), totals.requests]),
      ).toEqual([
        ['1999-12-31', 1],
        ['2026-05-01', 2],
        ['2026-05-02', 1],
        ['2031-01-01', 1],
      ])
      expect([since, until].map((at) => new Date(at).toISOString())).toEqual([
        '1999-12-31T12:00:00.000Z',
        '2031-01-01T12:00:00.001Z',
      ])
      await expect(ledger().summary({ ...everything, interval: 'hour' })).rejects.toMatchObject({ param: 'interval' })
    })

    test('P-6 a summary of one organisation begins and ends with its own rows, also of those that were pruned', async () => {
      const quarters = [0, 1, 2, 3, 4, 5].map((index) => 1_700_000_100_000 + index * 900_000)
      await record(
        ledger(),
        quarters.map((at, index) =>
          anEvent(`req_${index}`, { at: epochMs(at), org: orgId([1, 3].includes(index) ? 'acme' : 'other') }),
        ),
      )
      const extentOf = async (org: string): Promise<number[]> => {
        const { since, until, rows } = await ledger().summary({ ...everything, filter: { org: orgId(org) } })
        return [since, until, rows[0]?.totals.requests ?? 0]
      }
      const [first = 0, second = 0, third = 0, fourth = 0, , last = 0] = quarters
      expect(await extentOf('acme')).toEqual([second, fourth + 1, 2])
      expect(await extentOf('other')).toEqual([first, last + 1, 4])
      expect(await extentOf('nobody')).toEqual([0, 0, 0])
      await ledger().prune(epochMs(third))
      const begin = Math.floor(second / 900_000) * 900_000
      expect(await extentOf('acme')).toEqual([begin, fourth + 1, 2])
      expect(await extentOf('nobody')).toEqual([0, 0, 0])
    })

    test('a price that changes at midnight is in the day of each request', async () => {
      const midnight = Date.parse('2026-06-30T22:00:00Z')
      await record(ledger(), [
        anEvent('req_1', { at: epochMs(midnight - 0.5), cost: picoUsd(5n), priceId: 'old' }),
        anEvent('req_2', { at: epochMs(midnight), cost: picoUsd(7n), priceId: 'new' }),
      ])
      const month = await ledger().summary({ ...everything, interval: 'month', timeZone: 'Europe/Berlin' })
      expect(month.rows.map(({ totals }) => totals.cost)).toEqual([5n, 7n])
    })

    test('rows are cut at the limit, those with most requests first', async () => {
      const models = ['a', 'b', 'b', 'c', 'c', 'c']
      await record(
        ledger(),
        models.map((model, index) => anEvent(`req_${index}`, { model })),
      )
      const first = await ledger().summary({ ...everything, groupBy: ['model'], limit: 2 })
      expect(first.rows.map(({ group }) => group)).toEqual([{ model: 'c' }, { model: 'b' }])
      expect(first.truncated).toBe(true)
      expect((await ledger().summary({ ...everything, groupBy: ['model'], limit: 3 })).truncated).toBe(false)
    })

    test('what cannot be asked is refused by name', async () => {
      const refusal = (query: Partial<SummaryQuery>): Promise<unknown> =>
        ledger()
          .summary({ ...everything, ...query })
          .catch((error: unknown) => error)
      expect(await refusal({ timeZone: 'Mars/Olympus' })).toMatchObject({ code: 'invalid_request', param: 'tz' })
      expect(await refusal({ limit: 0 })).toMatchObject({ code: 'invalid_request', param: 'limit' })
      expect(await refusal({ limit: 10_001 })).toMatchObject({ code: 'invalid_request', param: 'limit' })
    })

    test('prefixes say which were used again, and by how many sessions', async () => {
      const [a, b] = [wireHash('00ff00ff00ff00ff'), wireHash('ff00ff00ff00ff00')]
      await record(ledger(), [
        anEvent('req_1', {
          at: epochMs(1),
          wireHash: a,
          session: sessionId('x'),
          ...reported({ fresh: 9, read: 0, output: 1 }),
        }),
        anEvent('req_2', {
          at: epochMs(2),
          wireHash: a,
          session: sessionId('y'),
          ...reported({ fresh: 1, read: 8, output: 1 }),
        }),
        anEvent('req_3', { at: epochMs(3), wireHash: b }),
        anEvent('req_4', { at: epochMs(4) }),
        anEvent('req_5', { at: epochMs(5), wireHash: a, kind: 'attempt' }),
      ])
      expect(await ledger().prefixes({}, 10)).toEqual([
        { prefix: a, requests: 2, sessions: 2, inputTokens: 18, cachedInputTokens: 8, firstSeen: 1, lastSeen: 2 },
        { prefix: b, requests: 1, sessions: 0, inputTokens: 0, cachedInputTokens: 0, firstSeen: 3, lastSeen: 3 },
      ])
      expect(await ledger().prefixes({}, 1)).toHaveLength(1)
      expect(await ledger().prefixes({ org: orgId('nobody') }, 10)).toEqual([])
      await expect(ledger().prefixes({}, 0)).rejects.toMatchObject({ param: 'limit' })
    })
  })

  describe('pruning and erasing', () => {
    const [zone, at] = ['Europe/Berlin', '2026-03-29T01:00:00Z']
    const moment = Date.parse(at)

    test('pruned events are gone, and summaries keep them', async () => {
      const events = drawEvents(moment, 150, 'a')
      await record(ledger(), events)
      const before = moment + 400_000
      const quarter = Math.floor(before / 900_000) * 900_000
      const pruned = events.filter((event) => event.at < quarter)
      expect(await ledger().prune(epochMs(before))).toBe(pruned.length)
      expect(await ledger().prune(epochMs(before))).toBe(0)
      await expectEvents(
        ledger(),
        events.filter((event) => event.at >= quarter),
      )
      for (const query of fc.sample(drawQuery(moment, zone, { groups: true }), 20)) {
        // Of what was pruned there are no parts of quarters any more.
        const { since, until } = query.filter
        const filter = {
          ...query.filter,
          since: wide(since, quarter, Math.floor),
          until: wide(until, quarter, Math.ceil),
        }
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expectModel(ledger(), events, { ...query, filter }, query)
      }
      const sessions = { ...everything, groupBy: ['session'], limit: 100 } as const
      await expectModel(ledger(), events, { ...sessions, filter: { since: epochMs(quarter) } }, sessions)
    })

    test('what is recorded after pruning, with an earlier time, is in sums and in events', async () => {
      const early = anEvent('req_1', { at: epochMs(moment - 5 * hourMs) })
      await record(ledger(), [early])
      await ledger().prune(epochMs(moment))
      const late = anEvent('req_2', { at: epochMs(moment - 5 * hourMs) })
      await record(ledger(), [late])
      await expectEvents(ledger(), [late])
      expect((await ledger().summary(everything)).rows[0]?.totals.requests).toBe(2)
      expect(await ledger().prune(epochMs(moment))).toBe(1)
    })

    test.each([false, true])('an erased organisation is in no event and no sum (pruned before: %s)', async (pruned) => {
      const events = drawEvents(moment, 150, 'a')
      await record(ledger(), events)
      const quarter = Math.floor(moment / 900_000) * 900_000
      if (pruned) await ledger().prune(epochMs(moment))
      const left = events.filter(({ org }) => org !== 'acme')
      const stored = events.filter(({ at }) => !pruned || at >= quarter)
      expect(await ledger().erase({ org: orgId('acme') })).toBe(stored.filter(({ org }) => org === 'acme').length)
      await expectEvents(
        ledger(),
        left.filter(({ at }) => !pruned || at >= quarter),
      )
      const queries = fc.sample(drawQuery(moment, zone, { groups: true }), 20)
      for (const query of [everything, ...queries.map((query) => ({ ...query, filter: { org: query.filter.org } }))]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expectModel(ledger(), left, query)
      }
    })

    test('an erased session leaves the sums of everybody else', async () => {
      const events = drawEvents(moment, 150, 'a')
      await record(ledger(), events)
      const erased = events.filter(({ session, org }) => session === 'a' && org === 'acme')
      expect(await ledger().erase({ org: orgId('acme'), session: 'a' })).toBe(erased.length)
      const left = events.filter((event) => !erased.includes(event))
      await expectEvents(ledger(), left)
      for (const query of fc.sample(drawQuery(moment, zone), 30)) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expectModel(ledger(), left, query, query, { leastHeadroom: expect.anything() })
      }
      expect(await ledger().erase({ session: 'a' })).toBe(left.filter(({ session }) => session === 'a').length)
      await expectEvents(
        ledger(),
        left.filter(({ session }) => session !== 'a'),
      )
    })

    test('after an erasure, events go on, and those that had happened before stay away', async () => {
      const now = Date.now()
      await record(ledger(), [
        anEvent('req_1', { at: epochMs(now - 1_000), ...reported({ fresh: 5, read: 0, output: 0 }) }),
      ])
      await ledger().erase({ org: orgId('acme') })
      const after = anEvent('req_3', { at: epochMs(now + hourMs), inputTokens: tokenCount(2) })
      await record(ledger(), [anEvent('req_2', { at: epochMs(now - 500) }), after])
      await expectEvents(ledger(), [after])
      expect((await ledger().summary(everything)).rows[0]?.totals).toMatchObject({ requests: 1, inputTokens: 2 })
    })

    test('erasing nothing named is a mistake of the caller', async () => {
      await expect(ledger().erase({})).rejects.toThrow(RangeError)
    })
  })
}

function wide(at: number | undefined, pruned: number, round: (value: number) => number): EventFilter['since'] {
  return at === undefined ? undefined : epochMs(at < pruned ? round(at / 900_000) * 900_000 : at)
}

async function record(ledger: Ledger, events: readonly LedgerEvent[]): Promise<void> {
  await Promise.all(events.map((event) => ledger.record(event)))
}

async function expectEvents(ledger: Ledger, events: readonly LedgerEvent[]): Promise<void> {
  const page = await ledger.events({}, { limit: 1_000 })
  expect(page.events.map(({ id }) => id).sort()).toEqual(events.map(({ id }) => id).sort())
}

/** Compares a summary with the model; `asked` is the question, where that is not what the model is asked. */
async function expectModel(
  ledger: Ledger,
  events: readonly LedgerEvent[],
  query: SummaryQuery,
  asked = query,
  but: object = {},
): Promise<void> {
  const summary = await ledger.summary(asked)
  const context = JSON.stringify(asked)
  const expected = summaryModel(events, query)
  const nameOf = ({ start, group }: { start: number | undefined; group: object }): string =>
    JSON.stringify([start, Object.entries(group).map(([key, value]) => [key, value ?? null])])
  const found = new Map(summary.rows.map((row) => [nameOf(row), row]))
  expect([...found.keys()].sort(), context).toEqual(expected.map(nameOf).sort())
  for (const row of expected) {
    const { ttft, ...totals } = found.get(nameOf(row))?.totals ?? {}
    expect(totals, context).toEqual({ ...row.totals, ...but })
    expectPercentiles(ttft ?? [], row.ttft)
  }
  expectOrder(summary)
  if (asked === query && events.length > 0) expectExtent(summary, events, query)
}

function expectPercentiles(ttft: Summary['rows'][0]['totals']['ttft'], lists: Record<string, readonly number[]>): void {
  expect(ttft.map(({ temperature, size }) => `${temperature} ${size}`).sort()).toEqual(Object.keys(lists).sort())
  for (const { temperature, size, count, ...percentiles } of ttft) {
    const list = lists[`${temperature} ${size}`] ?? []
    expect(count).toBe(list.length)
    for (const [name, share] of [
      ['p50', 0.5],
      ['p90', 0.9],
      ['p99', 0.99],
    ] as const) {
      const exact = list[Math.ceil(share * list.length) - 1] ?? Number.NaN
      expect(Math.abs(percentiles[name] - exact) / exact).toBeLessThanOrEqual(0.05)
    }
  }
}

function expectOrder({ rows }: Summary): void {
  const order = rows.map(({ start, totals }) => [start ?? 0, -totals.requests])
  expect(order).toEqual(order.toSorted(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d))
}

/** All that was added up is within, and where nothing was asked for, nothing of other organisations stretches it. */
function expectExtent({ since, until }: Summary, events: readonly LedgerEvent[], { filter }: SummaryQuery): void {
  const own = events.filter((event) => matches(event, { org: filter.org, since: filter.since, until: filter.until }))
  const times = own.map(({ at }) => at)
  if (filter.since !== undefined) expect(since).toBe(filter.since)
  else if (own.length > 0 && filter.until === undefined) expect(quarterOf(since)).toBe(quarterOf(Math.min(...times)))
  if (filter.until !== undefined) expect(until).toBe(Math.max(filter.until, since))
  else if (own.length > 0 && filter.since === undefined)
    expect(quarterOf(until - 1)).toBe(quarterOf(Math.max(...times)))
  expect(times.every((at) => at >= since && at < until)).toBe(true)
}

/** Of pruned events only that is known. */
function quarterOf(at: number): number {
  return Math.floor(at / 900_000)
}
