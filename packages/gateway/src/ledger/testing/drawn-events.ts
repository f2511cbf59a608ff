import { epochMs, milliseconds, orgId, picoUsd, sessionId, tokenCount, wireHash } from '@incipit/core'
import * as fc from 'fast-check'
import type { EventKind, GroupKey, LedgerEvent, SummaryQuery } from '../port.ts'
import { anEvent } from './an-event.ts'

const hourMs = 3_600_000

/** Zones, and an instant at which their clocks do something that sums get wrong. */
export const difficultMoments: readonly (readonly [zone: string, at: string])[] = [
  ['UTC', '2026-01-01T00:00:00Z'],
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Asia/Kolkata', '2026-05-31T18:30:00Z'],
  ['Asia/Kathmandu', '2026-05-31T18:15:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['Pacific/Chatham', '2026-04-04T14:00:00Z'],
  ['Africa/Cairo', '2026-04-23T22:00:00Z'],
  ['Africa/Cairo', '2026-10-29T21:00:00Z'],
  ['America/St_Johns', '2026-03-08T05:30:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
]

const name = fc.constantFrom('a', 'b', undefined)
const tokens = fc.option(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400_000 })), { nil: undefined })
const money = fc.option(
  fc.oneof(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 12n }), fc.constant(BigInt(Number.MAX_SAFE_INTEGER))),
  { nil: undefined },
)
const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined })

/** An instant near a moment: on a quarter of an hour, or anywhere. */
function near(moment: number): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: -40 * 4, max: 40 * 4 }).map((quarters) => moment + (quarters * hourMs) / 4),
    fc.integer({ min: -40 * hourMs, max: 40 * hourMs }).map((ms) => moment + ms),
    fc.integer({ min: -80 * hourMs, max: 80 * hourMs }).map((halves) => moment + halves / 2),
  )
}

/** Events of any kind around a moment, with anything reported or not. */
export function drawEvents(moment: number, count: number, label: string): LedgerEvent[] {
  const event = fc.record({
    kind: fc.constantFrom('request', 'request', 'request', 'request', 'attempt', 'ping', 'prewarm', 'storage'),
    at: near(moment),
    org: fc.constantFrom('acme', 'other'),
    keyName: name,
    session: name,
    upstream: name,
    model: fc.constantFrom('m', 'n'),
    servedModel: name,
    provider: name,
    serviceTier: name,
    dialect: fc.constantFrom('openai-chat', 'anthropic-messages'),
    wireHash: fc.constantFrom('00ff00ff00ff00ff', 'ff00ff00ff00ff00', undefined),
    usage: fc.record({
      fresh: tokens,
      read: tokens,
      write5m: tokens,
      write30m: tokens,
      write1h: tokens,
      write12h: tokens,
      output: tokens,
    }),
    inputTokens: tokens,
    cachedInputTokens: tokens,
    storage: fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: undefined }),
    ttftMs: fc.option(fc.double({ min: 0.1, max: 100_000, noNaN: true }), { nil: undefined }),
    totalMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
    status: fc.constantFrom(200, 200, 200, 400, 502),
    errorCode: fc.constantFrom('client_closed', undefined, undefined),
    cost: money,
    costRead: money,
    costWrite: money,
    costOutput: money,
    counterfactual: money,
    control: fc.boolean(),
    reuse: fc.constantFrom('first', 'same_session', 'across_sessions', undefined),
    verdict: fc.constantFrom('warm', 'partial', 'cold', undefined),
    cause: fc.constantFrom('expired', 'evicted', undefined),
    requestHeadroom: share,
    tokenHeadroom: share,
  })
  return fc.sample(event, count).map((drawn, index) =>
    anEvent(`req_${label}_${String(index).padStart(3, '0')}`, {
      ...(drawn as Partial<LedgerEvent>), // units are put on below, and for the rest the drawn values are plain
      at: epochMs(drawn.at),
      org: orgId(drawn.org),
      session: drawn.session === undefined ? undefined : sessionId(drawn.session),
      wireHash: drawn.wireHash === undefined ? undefined : wireHash(drawn.wireHash),
      inputTokens: drawn.inputTokens === undefined ? undefined : tokenCount(drawn.inputTokens),
      ttftMs: drawn.ttftMs === undefined ? undefined : milliseconds(drawn.ttftMs),
      totalMs: milliseconds(drawn.totalMs),
      cost: drawn.cost === undefined ? undefined : picoUsd(drawn.cost),
    }),
  )
}

const ofGroups: readonly GroupKey[] = [
  'org',
  'key',
  'model',
  'served_model',
  'upstream',
  'provider',
  'dialect',
  'service_tier',
]
const ofEvents: readonly GroupKey[] = ['session', 'verdict', 'cause', 'prefix', 'control', 'reuse']

/** A question about such events; with `groups`, one that needs no single events but at the ends of its time. */
export function drawQuery(
  moment: number,
  zone: string,
  { groups = false }: { readonly groups?: boolean } = {},
): fc.Arbitrary<SummaryQuery> {
  const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined, freq: 3 }).map((value) => value)
  const rare = <T>(value: T): fc.Arbitrary<T | undefined> =>
    groups ? fc.constant(undefined) : fc.constantFrom(value, undefined, undefined, undefined)
  return fc.record({
    filter: fc.record({
      org: fc.constantFrom(orgId('acme'), undefined),
      keyName: fc.constantFrom('a', undefined, undefined),
      session: rare('a'),
      model: fc.constantFrom('m', undefined, undefined),
      upstream: fc.constantFrom('a', undefined, undefined),
      provider: fc.constantFrom('a', undefined, undefined),
      kind: rare<EventKind>('ping'),
      status: rare(502),
      verdict: rare('cold'),
      cause: rare('expired'),
      since: some(near(moment).map(epochMs)),
      until: some(near(moment).map(epochMs)),
    }),
    groupBy: fc.subarray([...(groups ? ofGroups : [...ofGroups, ...ofEvents])], { maxLength: 3 }),
    interval: fc.constantFrom('none', 'hour', 'day', 'week', 'month'),
    timeZone: fc.constantFrom(zone, zone, zone, 'UTC'),
    limit: fc.constant(10_000),
  })
}
