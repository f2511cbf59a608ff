import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { epochMs, orgId, sessionId } from '@incipit/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SqlDatabase } from './driver.ts'
import { openDatabase } from './driver.ts'
import { pageQuery } from './event-queries.ts'
import { toRow } from './event-row.ts'
import { insertEvent } from './insert-events.ts'
import type { EventFilter, LedgerEvent, SummaryQuery } from './port.ts'
import { applicationId, migrations } from './schema.ts'
import type { SqliteLedger, SqliteLedgerOptions } from './sqlite-ledger.ts'
import { openSqliteLedger } from './sqlite-ledger.ts'
import { anEvent, reported } from './testing/an-event.ts'

let folder = ''
let files = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'incipit-upkeep-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const dayMs = 86_400_000
const now = Date.UTC(2026, 5, 30, 12)
const everything: SummaryQuery = { filter: {}, groupBy: [], interval: 'none', timeZone: 'UTC', limit: 100 }

/** Each in a folder of its own, so that its files can be searched. */
async function open(options: Partial<SqliteLedgerOptions> = {}): Promise<{ ledger: SqliteLedger; file: string }> {
  const file = options.file ?? join(mkdtempSync(join(folder, `${files++}-`)), 'incipit.db')
  return { ledger: await openSqliteLedger({ now: () => now, ...options, file }), file }
}

function record(ledger: SqliteLedger, events: readonly LedgerEvent[]): Promise<unknown> {
  return Promise.all(events.map((event) => ledger.record(event)))
}

function daysAgo(days: number, fields: Partial<LedgerEvent> = {}): LedgerEvent {
  return anEvent(`req_${days}_${fields.model ?? ''}`, { at: epochMs(now - days * dayMs), ...fields })
}

async function withConnection<T>(file: string, use: (database: SqlDatabase) => T): Promise<T> {
  const database = await openDatabase({ file, busyMs: 5_000 })
  try {
    return use(database)
  } finally {
    database.close()
  }
}

const rowsOf = (file: string, sql: string): Promise<unknown[]> =>
  withConnection(file, (database) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)),
  )

/** The files beside a store, its own included, that hold a text. */
function filesWith(file: string, text: string): string[] {
  const names = readdirSync(join(file, '..'))
  return names.filter((name) => readFileSync(join(file, '..', name)).includes(text))
}

/** A store as builds had it before there were sums. */
async function olderStore(file: string, events: readonly LedgerEvent[]): Promise<void> {
  const version = migrations.findIndex((step) => step.includes('CREATE TABLE rollups'))
  await withConnection(file, (database) => {
    for (const step of migrations.slice(0, version)) database.exec(step)
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`)
    const insert = database.prepare(insertEvent)
    database.transaction(() => {
      for (const event of events) insert.run(toRow(event))
    })
  })
}

test('events of an older build are in summaries at once, and in the kept sums after a while', async () => {
  const file = join(mkdtempSync(join(folder, `${files++}-`)), 'incipit.db')
  const events = Array.from({ length: 1_000 }, (_, index) =>
    anEvent(`req_${index}`, { at: epochMs(now - index * 600_000), ...reported({ fresh: 2, read: 1, output: 1 }) }),
  )
  await olderStore(file, events)
  const { ledger } = await open({ file })
  await record(ledger, [anEvent('req_new', { at: epochMs(now), ...reported({ fresh: 2, read: 1, output: 1 }) })])
  const days = { ...everything, interval: 'day' } as const
  const before = await ledger.summary(days)
  expect((await ledger.summary(everything)).rows[0]?.totals).toMatchObject({ requests: 1_001, inputTokens: 3_003 })
  await expect
    .poll(() =>
      rowsOf(
        file,
        `SELECT name FROM ledger_state f WHERE name = 'filled_to' AND value >= (SELECT value FROM ledger_state WHERE name = 'fill_end')`,
      ),
    )
    .toHaveLength(1)
  expect(await ledger.summary(days)).toEqual(before)
  // Without events, only sums can answer.
  await withConnection(file, (database) => database.exec('DELETE FROM events WHERE at < 0 OR at > 0'))
  expect((await rowsOf(file, 'SELECT count(*) FROM rollups WHERE width = 86400000'))[0]).toEqual([8])
  expect((await ledger.summary({ ...days, filter: { since: epochMs(0), until: epochMs(now) } })).rows).toEqual([])
  await ledger.close()
})

test('pruning an older store first completes its sums', async () => {
  const file = join(mkdtempSync(join(folder, `${files++}-`)), 'incipit.db')
  await olderStore(
    file,
    Array.from({ length: 700 }, (_, index) => anEvent(`req_${index}`, { at: epochMs(now - index * 600_000) })),
  )
  const { ledger } = await open({ file })
  expect(await ledger.prune(epochMs(now - dayMs))).toBe(555)
  expect((await ledger.summary(everything)).rows[0]?.totals.requests).toBe(700)
  await ledger.close()
})

test('retention deletes what is older by itself, and says how much', async () => {
  const { ledger, file } = await open({ retention: { eventsDays: 30, summariesDays: 60 } })
  await record(ledger, [daysAgo(1), daysAgo(29), daysAgo(31), daysAgo(59), daysAgo(61), daysAgo(400)])
  await ledger.totals({})
  await expect.poll(() => ledger.counters.pruned).toBe(4)
  await expect.poll(() => rowsOf(file, 'SELECT count(*) FROM rollups WHERE width = 86400000')).toEqual([[4]])
  expect((await ledger.events({}, { limit: 10 })).events.map(({ id }) => id)).toEqual(['req_1_', 'req_29_'])
  expect((await ledger.summary(everything)).rows[0]?.totals.requests).toBe(4)
  await ledger.close()
})

test('retention that is set later, and unset, is followed', async () => {
  const { ledger } = await open()
  await record(ledger, [daysAgo(1), daysAgo(31)])
  ledger.keep({ eventsDays: 30, summariesDays: null })
  await expect.poll(() => ledger.counters.pruned).toBe(1)
  ledger.keep({ eventsDays: null, summariesDays: null })
  await record(ledger, [daysAgo(32)])
  expect((await ledger.events({}, { limit: 10 })).events).toHaveLength(2)
  await ledger.close()
})

test('the space of pruned events is given back', async () => {
  const { ledger, file } = await open()
  const large = Array.from({ length: 200 }, (_, index) =>
    anEvent(`req_${index}`, { at: epochMs(now - 40 * dayMs), rawUsage: 'x'.repeat(20_000) }),
  )
  await record(ledger, large)
  await ledger.totals({})
  ledger.keep({ eventsDays: 30, summariesDays: null })
  await expect.poll(() => ledger.counters.pruned).toBe(200)
  await expect.poll(() => statSync(file).size).toBeLessThan(1_000_000)
  await ledger.close()
})

test('what was erased is in no file any more: not in the store, its log, or a journal of any process', async () => {
  const { ledger, file } = await open({ importDelayMs: 600_000 })
  const neighbour = await openSqliteLedger({ file, importDelayMs: 600_000 })
  const events = ['left', 'right'].map((model) =>
    daysAgo(1, { model, org: orgId('org-to-forget'), session: sessionId('session-to-forget') }),
  )
  const others = [daysAgo(2, { model: 'kept', org: orgId('org-to-keep') })]
  await record(ledger, [...events.slice(0, 1), ...others])
  await ledger.totals({})
  await record(neighbour, events.slice(1))
  expect(filesWith(file, 'org-to-forget').length).toBeGreaterThan(1)
  expect(await ledger.erase({ org: orgId('org-to-forget') })).toBe(2)
  expect(ledger.counters.erased).toBe(2)
  expect(filesWith(file, 'org-to-forget')).toEqual([])
  expect(filesWith(file, 'session-to-forget')).toEqual([])
  expect(filesWith(file, 'org-to-keep')).toEqual(['incipit.db'])
  await record(neighbour, [daysAgo(3, { model: 'after', org: orgId('org-to-keep') })])
  expect((await ledger.totals({})).requests).toBe(2)
  await neighbour.close()
  await ledger.close()
  expect(readdirSync(join(file, '..'))).toEqual(['incipit.db'])
})

test('an erasure while the store is locked says that nothing was erased, and works afterwards', async () => {
  const { ledger, file } = await open({ recordTimeoutMs: 200 })
  await record(ledger, [daysAgo(1)])
  await ledger.totals({})
  const other = await openDatabase({ file, busyMs: 5_000 })
  other.exec('BEGIN IMMEDIATE')
  await record(ledger, [daysAgo(2)])
  const refused = await ledger.erase({ org: orgId('acme') }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ name: 'LedgerError' })
  other.exec('ROLLBACK')
  other.close()
  expect((await ledger.totals({})).requests).toBe(2)
  expect(await ledger.erase({ org: orgId('acme') })).toBe(2)
  expect((await ledger.totals({})).requests).toBe(0)
  await ledger.close()
})

test('every filter of a page has an index that gives it in its order', async () => {
  const { ledger, file } = await open()
  await record(ledger, [daysAgo(1)])
  await expect
    .poll(() => rowsOf(file, "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'events_by_%'"))
    .toHaveLength(12)
  await ledger.close()
  const filters: EventFilter[] = [
    {},
    { org: orgId('a') },
    { keyName: 'a' },
    { session: 'a' },
    { model: 'a' },
    { upstream: 'a' },
    { verdict: 'cold' },
    { cause: 'expired' },
    { provider: 'a' },
    { status: 502 },
    { kind: 'ping' },
  ]
  for (const filter of filters) {
    const { sql, parameters } = pageQuery(filter, { limit: 10, cursor: 'WzEsImEiXQ' })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const plan = await withConnection(file, (database) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters))
    const steps = plan.map(({ detail }) => String(detail))
    expect(steps, JSON.stringify(filter)).toHaveLength(1)
    expect(steps[0]).toMatch(/^SEARCH events USING INDEX events_by_/)
  }
})
