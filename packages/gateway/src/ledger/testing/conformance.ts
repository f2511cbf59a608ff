import {
  IncipitError,
  epochMs,
  milliseconds,
  orgId,
  picoUsd,
  requestId,
  sessionId,
  tokenCount,
  wireHash,
} from '@incipit/core'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventFilter, Ledger, LedgerEvent } from '../port.ts'
import { anEvent, reported } from './an-event.ts'
import { summaryConformance } from './summary-conformance.ts'

/**
 * What every ledger must do. `make` gives an empty one; the suite closes it.
 * @example ledgerConformance('sqlite', () => openSqliteLedger({ file }))
 */
export function ledgerConformance(name: string, make: () => Promise<Ledger>): void {
  describe(`ledger conformance: ${name}`, () => {
    let ledger: Ledger
    beforeEach(async () => {
      ledger = await make()
    })
    afterEach(() => ledger.close())

    test('M-4 every field comes back as it was recorded', async () => {
      await ledger.record(fullEvent)
      expect(await ledger.find(fullEvent.id)).toEqual(fullEvent)
    })

    test('M-2 what was not reported comes back as not reported, never as zero', async () => {
      const bare = anEvent('req_bare')
      const zero = anEvent('req_zero', { ...reported({ fresh: 0, read: 0, output: 0 }), expectedTokens: tokenCount(0) })
      await Promise.all([ledger.record(bare), ledger.record(zero)])
      expect(await ledger.find(bare.id)).toEqual(bare)
      expect(await ledger.find(zero.id)).toEqual(zero)
    })

    test('an id that nobody recorded is not found', async () => {
      expect(await ledger.find(requestId('req_none'))).toBeUndefined()
    })

    test('an id recorded twice keeps its first row', async () => {
      await ledger.record(anEvent('req_1', { status: 200 }))
      await ledger.record(anEvent('req_1', { status: 500 }))
      expect((await ledger.find(requestId('req_1')))?.status).toBe(200)
      expect(await ledger.totals({})).toMatchObject({ requests: 1, failedRequests: 0 })
    })

    test('pages are newest first, and complete when many events share an instant', async () => {
      const instants = [5, 5, 5, 5, 7, 3, 5, 7]
      await recordAll(
        ledger,
        instants.map((at, index) => anEvent(`req_${index}`, { at: epochMs(at) })),
      )
      for (const limit of [1, 2, 3, 8, 100]) {
        const pages = await readPages(ledger, {}, limit)
        expect(pages.flat()).toEqual(['req_7', 'req_4', 'req_6', 'req_3', 'req_2', 'req_1', 'req_0', 'req_5'])
        expect(pages.length).toBe(Math.ceil(8 / limit))
      }
    })

    test('pages stay as they are while newer events arrive', async () => {
      await recordAll(
        ledger,
        [1, 2, 3, 4].map((at) => anEvent(`req_${at}`, { at: epochMs(at) })),
      )
      const first = await ledger.events({}, { limit: 2 })
      await ledger.record(anEvent('req_9', { at: epochMs(9) }))
      const second = await ledger.events({}, { limit: 2, cursor: first.nextCursor })
      expect([...first.events, ...second.events].map((event) => event.id)).toEqual(['req_4', 'req_3', 'req_2', 'req_1'])
      expect(second.nextCursor).toBeUndefined()
    })

    test('a cursor or a limit that no page gave is refused by name', async () => {
      await ledger.record(anEvent('req_1'))
      for (const cursor of ['', 'x', 'WzEsMl0', 'bnVsbA', 'WyJhIiwiYiJd']) {
        const error = await ledger.events({}, { limit: 1, cursor }).catch((thrown: unknown) => thrown)
        expect(error, cursor).toMatchObject({ code: 'invalid_request', param: 'cursor' })
        expect(IncipitError.is(error)).toBe(true)
      }
      for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
        await expect(ledger.events({}, { limit })).rejects.toMatchObject({ code: 'invalid_request', param: 'limit' })
      }
    })

    test('filters select exactly the events that match all of them', async () => {
      const value = fc.constantFrom('a', 'b', undefined)
      const event = fc.record({
        keyName: value,
        session: value,
        upstream: value,
        provider: value,
        status: fc.constantFrom(200, 503),
        model: fc.constantFrom('a', 'b'),
        at: fc.integer({ min: 0, max: 4 }),
      })
      const drawn = fc.sample(event, 40).map(({ session, at, ...rest }, index) =>
        anEvent(`req_${String(index).padStart(2, '0')}`, {
          ...rest,
          session: session === undefined ? undefined : sessionId(session),
          at: epochMs(at),
          org: orgId(index % 3 === 0 ? 'other' : 'acme'),
        }),
      )
      await recordAll(ledger, drawn)
      for (const filter of filters) {
        const expected = drawn
          .filter((event) => matches(event, filter))
          .sort((a, b) => b.at - a.at || (b.id < a.id ? -1 : 1))
        expect((await readPages(ledger, filter, 7)).flat(), JSON.stringify(filter)).toEqual(
          expected.map(({ id }) => id),
        )
        expect((await ledger.totals(filter)).requests, JSON.stringify(filter)).toBe(expected.length)
      }
    })

    test('M-3 totals: unreported requests count as requests and in no token sum', async () => {
      await recordAll(ledger, [
        anEvent('req_1', reported({ fresh: 100, read: 0, output: 10 })),
        anEvent('req_2', reported({ fresh: 20, read: 80, output: 5 })),
        anEvent('req_3'),
        anEvent('req_4', { status: 502, errorCode: 'engine_failed' }),
        anEvent('req_5', { inputTokens: tokenCount(7) }),
        anEvent('req_6', {
          ...reported({ fresh: 20, read: 80, output: 5 }),
          kind: 'attempt',
          parentId: requestId('req_2'),
        }),
      ])
      expect(await ledger.totals({})).toEqual({
        requests: 5,
        warmRequests: 1,
        failedRequests: 1,
        inputTokens: 207,
        cachedInputTokens: 80,
        outputTokens: 15,
        unreportedRequests: 2,
      })
    })

    test('totals of nothing are zero requests', async () => {
      const zero = { requests: 0, warmRequests: 0, failedRequests: 0, inputTokens: 0, cachedInputTokens: 0 }
      expect(await ledger.totals({ model: 'none' })).toEqual({ ...zero, outputTokens: 0, unreportedRequests: 0 })
    })

    test('P-6 one organisation sees nothing of another', async () => {
      await recordAll(ledger, [
        anEvent('req_1', { org: orgId('acme'), ...reported({ fresh: 1, read: 2, output: 3 }) }),
        anEvent('req_2', { org: orgId('other'), ...reported({ fresh: 10, read: 20, output: 30 }) }),
      ])
      const page = await ledger.events({ org: orgId('acme') }, { limit: 10 })
      expect(page.events.map((event) => event.id)).toEqual(['req_1'])
      expect(await ledger.totals({ org: orgId('acme') })).toMatchObject({
        requests: 1,
        inputTokens: 3,
        outputTokens: 3,
      })
      expect(await ledger.totals({ org: orgId("acme' OR '1'='1") })).toMatchObject({ requests: 0 })
    })

    test('text of any kind is kept, and a NUL character is replaced', async () => {
      const model = 'm\'"; DROP TABLE events; -- é😀\n'
      await ledger.record(anEvent('req_1', { model, edits: ['a\0b'], upstream: 'a\0b' }))
      const found = await ledger.find(requestId('req_1'))
      expect(found).toMatchObject({ model, edits: ['a\0b'], upstream: 'a\uFFFDb' })
    })

    summaryConformance(() => ledger)

    test('after close, everything is refused and close may be called again', async () => {
      await ledger.record(anEvent('req_1'))
      await ledger.close()
      await expect(ledger.record(anEvent('req_2'))).rejects.toThrow('closed')
      await expect(ledger.find(requestId('req_1'))).rejects.toThrow('closed')
    })
  })
}

const fullEvent: LedgerEvent = anEvent('req_full', {
  kind: 'attempt',
  parentId: requestId('req_parent'),
  at: epochMs(1_700_000_000_000.25),
  keyName: 'web',
  session: sessionId('ses_1'),
  dialect: 'anthropic-messages',
  upstream: 'claude',
  replica: 'http://127.0.0.1:8001',
  servedModel: 'demo-2',
  stream: true,
  configGeneration: 7,
  wireHash: wireHash('00ff00ff00ff00ff'),
  usage: {
    fresh: tokenCount(1),
    read: tokenCount(2),
    write5m: tokenCount(3),
    write30m: tokenCount(4),
    write1h: tokenCount(5),
    write12h: tokenCount(6),
    output: tokenCount(7),
  },
  rawUsage: '{"input_tokens": 1,  "b": null}',
  inputTokens: tokenCount(21),
  cachedInputTokens: tokenCount(2),
  evaluatedTokens: tokenCount(19),
  expectedTokens: tokenCount(2 ** 40),
  prefixCache: 'off',
  edits: ['inject-usage', 'strip-gateway-field'],
  warnings: ['fifth "breakpoint"'],
  ttftMs: milliseconds(0.1),
  totalMs: milliseconds(1234.5678),
  status: 499,
  errorCode: 'client_closed',
  storage: 1.5,
  reportedInputTokens: tokenCount(22),
  provider: 'anthropic',
  serviceTier: 'batch',
  cost: picoUsd(334_500_000_001n),
  costRead: picoUsd(1n),
  costWrite: picoUsd(0n),
  costOutput: picoUsd(3n),
  counterfactual: picoUsd(-4n),
  priceId: 'local/anthropic/claude-opus-5-5@2026-09-22',
  control: true,
  reuse: 'across_sessions',
  verdict: 'partial',
  cause: 'expired',
  requestHeadroom: 0.25,
  tokenHeadroom: 0,
})

const filters: readonly EventFilter[] = [
  {},
  { org: orgId('acme') },
  { keyName: 'a' },
  { session: 'b' },
  { model: 'a' },
  { upstream: 'b' },
  { provider: 'a' },
  { status: 503 },
  { kind: 'request', status: 200 },
  { kind: 'attempt' },
  { since: epochMs(2) },
  { until: epochMs(2) },
  { org: orgId('acme'), keyName: 'a', model: 'b', since: epochMs(1), until: epochMs(4) },
  { org: orgId('nobody') },
]

function matches(event: LedgerEvent, filter: EventFilter): boolean {
  const { since, until, ...equal } = filter
  const fields = Object.entries(equal) as [keyof LedgerEvent, unknown][]
  return (
    fields.every(([name, value]) => event[name] === value) && event.at >= (since ?? 0) && event.at < (until ?? 1e99)
  )
}

async function recordAll(ledger: Ledger, events: readonly LedgerEvent[]): Promise<void> {
  await Promise.all(events.map((event) => ledger.record(event)))
}

async function readPages(ledger: Ledger, filter: EventFilter, limit: number): Promise<string[][]> {
  const pages: string[][] = []
  let cursor: string | undefined
  do {
    // oxlint-disable-next-line no-await-in-loop -- each page names the next
    const page = await ledger.events(filter, { limit, cursor })
    pages.push(page.events.map((event) => event.id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return pages
}
