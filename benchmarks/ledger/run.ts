import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { EventFilter, Ledger, SummaryQuery } from 'incipit'
import { table } from '../support/table.ts'
import { drawnEvent, spanMs } from './drawn-event.ts'

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '5000' },
    /** A file that is kept, to ask it again. */
    file: { type: 'string' },
    /** The URL of a PostgreSQL database; default: SQLite in a temporary folder. */
    postgres: { type: 'string' },
  },
})

const total = Number(flags.events)
const rounds = Number(flags.rounds)
const from = Date.UTC(2026, 9, 1)
const folder = mkdtempSync(join(tmpdir(), 'incipit-ledger-bench-'))
const file = flags.file ?? join(folder, 'ledger.db')

interface Counted extends Ledger {
  readonly counters: { readonly stored: number; readonly unimported: number; readonly lost: number }
}

// The compiled gateway, as it is published: these files are no part of its public interface.
const entry = new URL('../../../packages/gateway/dist/ledger/sqlite-ledger.js', import.meta.url).href
const { openSqliteLedger } = (await import(entry)) as {
  openSqliteLedger: (options: object) => Promise<Counted>
}

/** Fills the ledger as fast as it takes events, 64 at a time. */
async function fill(ledger: Counted): Promise<number> {
  const begun = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < total) {
      // oxlint-disable-next-line no-await-in-loop -- a lane is one after the other
      await ledger.record(drawnEvent(next++, { from, total }))
      // oxlint-disable-next-line no-await-in-loop -- what waits for the store is bounded
      while (ledger.counters.unimported > 200_000) await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await Promise.all(Array.from({ length: 64 }, lane))
  await ledger.find(drawnEvent(0, { from, total }).id)
  return total / ((performance.now() - begun) / 1_000)
}

interface Timing {
  readonly question: string
  readonly ms: readonly number[]
  readonly loopMs: number
}

/** How long a question takes, and how long the event loop was held at most meanwhile. */
async function time(question: string, ask: () => Promise<unknown>): Promise<Timing> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const ms: number[] = []
  await ask()
  delay.enable()
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await ask()
    ms.push(performance.now() - begun)
  }
  delay.disable()
  return { question, ms: ms.sort((a, b) => a - b), loopMs: delay.max / 1e6 }
}

async function questions(ledger: Counted): Promise<Timing[]> {
  const timings: Timing[] = []
  const page = async (name: string, filter: EventFilter, cursor?: string): Promise<void> => {
    timings.push(await time(`events, ${name}`, () => ledger.events(filter, { limit: 100, cursor })))
  }
  const deep = await cursorAt(ledger)
  await page('first page', {})
  await page('deep page', {}, deep)
  const filters: Record<string, EventFilter> = {
    org: { org: 'org-3' as never },
    key: { keyName: 'key-3-1' },
    session: { session: `ses_${String(77).padStart(32, '0')}` },
    model: { model: 'model-2' },
    upstream: { upstream: 'fireworks' },
    verdict: { verdict: 'partial' },
    cause: { cause: 'expired' },
    'a rare cause': { cause: 'routed_elsewhere' },
    'org and cause': { org: 'org-3' as never, cause: 'evicted' },
  }
  for (const [name, filter] of Object.entries(filters)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await page(`by ${name}`, filter)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (['org', 'verdict'].includes(name)) await page(`by ${name}, deep`, filter, deep)
  }
  const month: SummaryQuery = {
    filter: { since: from as never, until: (from + spanMs) as never },
    groupBy: [],
    interval: 'none',
    timeZone: 'UTC',
    limit: 10_000,
  }
  const ragged = { since: (from + 12_345_678) as never, until: (from + spanMs - 7_654_321) as never }
  const summaries: Record<string, Partial<SummaryQuery>> = {
    'the whole': {},
    'ragged ends': { filter: ragged },
    'by model': { groupBy: ['model'] },
    'by org': { groupBy: ['org'] },
    'by day': { interval: 'day' },
    'by day in Berlin': { interval: 'day', timeZone: 'Europe/Berlin' },
    'by day in Kolkata': { interval: 'day', timeZone: 'Asia/Kolkata' },
    'by upstream and day': { groupBy: ['upstream'], interval: 'day' },
    'by upstream and hour': { groupBy: ['upstream'], interval: 'hour' },
    'one org by day in Berlin': {
      interval: 'day',
      timeZone: 'Europe/Berlin',
      filter: { ...month.filter, org: 'org-3' as never },
    },
    'one session': { filter: { ...month.filter, session: `ses_${String(77).padStart(32, '0')}` } },
    'by cause (from single events)': { groupBy: ['cause'] },
  }
  for (const [name, query] of Object.entries(summaries)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    timings.push(await time(`summary of 30 days, ${name}`, () => ledger.summary({ ...month, ...query })))
  }
  timings.push(await time('prefixes, 100', () => ledger.prefixes({}, 100)))
  return timings
}

/** A cursor two thirds down the pages. */
async function cursorAt(ledger: Counted): Promise<string | undefined> {
  const until = (from + spanMs / 3) as never
  return (await ledger.events({ until }, { limit: 1 })).nextCursor
}

interface Ingest {
  readonly recordedPerSecond: number
  readonly storedPerSecond: number
  readonly lost: number
  readonly recordP50Ms: number
  readonly recordP99Ms: number
  readonly loopP99Ms: number
}

/** Events at a steady rate while pages and summaries are asked for all the time. */
async function ingest(ledger: Counted): Promise<Ingest> {
  const [rate, seconds] = [Number(flags.rate), Number(flags.seconds)]
  const stored = ledger.counters.stored
  // A file that is asked again has the events of the last time.
  const first = Math.max(total, Date.now())
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const took: number[] = []
  const begun = performance.now()
  const stop = new AbortController()
  const asker = (async () => {
    while (!stop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await ledger.events({}, { limit: 100 })
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await ledger.summary({ filter: {}, groupBy: ['model'], interval: 'day', timeZone: 'UTC', limit: 1_000 })
      // oxlint-disable-next-line no-await-in-loop -- a console that is looked at
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  })()
  const waiting: Promise<void>[] = []
  for (let sent = 0; sent < rate * seconds;) {
    const due = Math.min(rate * seconds, ((performance.now() - begun) / 1_000) * rate)
    for (; sent < due; sent++) {
      // All of the present: sums of two quarters of an hour at most.
      const at = from + spanMs + (sent / rate) * 1_000
      const event = { ...drawnEvent(first + sent, { from, total }), at: at as never }
      const asked = performance.now()
      waiting.push(ledger.record(event).then(() => void took.push(performance.now() - asked)))
    }
    // oxlint-disable-next-line no-await-in-loop -- other requests have their turn
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(waiting)
  const recordedMs = performance.now() - begun
  await ledger.find(drawnEvent(0, { from, total }).id)
  const storedMs = performance.now() - begun
  stop.abort()
  await asker
  delay.disable()
  took.sort((a, b) => a - b)
  return {
    recordedPerSecond: Math.round((took.length / recordedMs) * 1_000),
    storedPerSecond: Math.round(((ledger.counters.stored - stored) / storedMs) * 1_000),
    lost: ledger.counters.lost,
    recordP50Ms: took[Math.floor(took.length / 2)] ?? 0,
    recordP99Ms: took[Math.floor(took.length * 0.99)] ?? 0,
    loopP99Ms: delay.percentile(99) / 1e6,
  }
}

const round = (value: number): number => Math.round(value * 10) / 10

try {
  const url = flags.postgres
  const ledger = await openSqliteLedger({ file, url, maxUnimportedBytes: 2 ** 32, queryTimeoutMs: 600_000 })
  try {
    const known = (await ledger.events({}, { limit: 1 })).events.length > 0
    const filledPerSecond = known ? 0 : await fill(ledger)
    const timings = await questions(ledger)
    const fed = await ingest(ledger)
    const bytesPerEvent =
      url === undefined ? statSync(file).size / (total + Number(flags.rate) * Number(flags.seconds)) : 0
    const head = {
      node: process.versions.node,
      cores: availableParallelism(),
      store: url === undefined ? 'sqlite' : 'postgres',
      events: total,
    }
    if (flags.json) console.log(JSON.stringify({ ...head, filledPerSecond, bytesPerEvent, timings, ingest: fed }))
    else {
      console.log(JSON.stringify(head))
      console.log(
        `filled with ${Math.round(filledPerSecond)} events/s; ${Math.round(bytesPerEvent)} bytes an event on disk`,
      )
      const rows = timings.map(({ question, ms, loopMs }) => [
        question,
        round(ms[Math.floor(ms.length / 2)] ?? 0),
        round(ms.at(-1) ?? 0),
        round(loopMs),
      ])
      console.log(table(['question', 'median ms', 'slowest ms', 'loop held ms at most'], rows))
      console.log(`at ${flags.rate} events/s beside questions:`, fed)
    }
  } finally {
    await ledger.close()
  }
} finally {
  rmSync(folder, { recursive: true })
}
