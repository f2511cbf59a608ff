import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { requestId } from '@incipit/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { SqlDatabase } from './driver.ts'
import { openDatabase } from './driver.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import type { LedgerEvent } from './port.ts'
import type { SqliteLedger, SqliteLedgerOptions } from './sqlite-ledger.ts'
import { openSqliteLedger, startWorker } from './sqlite-ledger.ts'
import { anEvent } from './testing/an-event.ts'
import { ledgerConformance } from './testing/conformance.ts'

let folder = ''
let files = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'incipit-ledger-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const nextFile = (): string => join(folder, `ledger-${files++}.db`)

ledgerConformance('sqlite', () => openSqliteLedger({ file: nextFile() }))

/** Runs `use` on a ledger, and closes it whatever happens. */
async function withLedger(
  options: Partial<SqliteLedgerOptions>,
  use: (ledger: SqliteLedger, file: string) => Promise<void>,
): Promise<void> {
  const file = options.file ?? nextFile()
  const ledger = await openSqliteLedger({ ...options, file })
  try {
    await use(ledger, file)
  } finally {
    await ledger.close()
  }
}

/** A second connection to the file, as another process would have. */
async function withConnection(file: string, use: (database: SqlDatabase) => Promise<void>): Promise<void> {
  const database = await openDatabase({ file, busyMs: 5_000 })
  try {
    await use(database)
  } finally {
    database.close()
  }
}

const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'recorded',
    (error: { reason?: unknown }) => error.reason,
  )

type Spawn = NonNullable<SqliteLedgerOptions['spawn']>

/** Threads of the ledger that can be made to die as by a defect: of an uncaught exception. */
function mortalThreads(dataOf: (data: LedgerFileOptions, index: number) => LedgerFileOptions = (data) => data): {
  spawn: Spawn
  kill: (index: number) => void
  started: () => number
} {
  const workers: Worker[] = []
  const code = (entry: URL): string => `
    const { parentPort } = require('node:worker_threads')
    const mortal = () => parentPort.on('message', ({ kind }) => { if (kind === 'die') throw new Error('a defect') })
    import(${JSON.stringify(entry.href)}).then(mortal)`
  return {
    spawn: (entry, data) => {
      const workerData = dataOf(data, workers.length)
      const worker = new Worker(code(entry), { eval: true, workerData, execArgv: [] })
      workers.push(worker)
      return worker
    },
    kill: (index) => workers[index]?.postMessage({ kind: 'die' }),
    started: () => workers.length,
  }
}

/** The value of some work, and the smallest of a few bounds that it kept, in milliseconds. */
async function timed<T>(work: Promise<T>): Promise<{ value: T; within: number | undefined }> {
  const begun = performance.now()
  const value = await work
  return { value, within: [500, 2_000].find((bound) => performance.now() - begun < bound) }
}

test('rows survive closing and opening again, and a closed ledger is one file', async () => {
  const file = nextFile()
  await withLedger({ file }, (ledger) => ledger.record(anEvent('req_1')))
  const copy = nextFile()
  copyFileSync(file, copy)
  for (const path of [file, copy]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await withLedger({ file: path }, async (ledger) => {
      expect(await ledger.find(requestId('req_1'))).toEqual(anEvent('req_1'))
    })
  }
})

/** Commits in the journal: frames of 24 bytes and a page, whose second word is 0 but at the end of a transaction. */
function commitsOf(file: string): number {
  const journal = readFileSync(`${file}-wal`)
  const frameBytes = 24 + journal.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + frameBytes <= journal.length; at += frameBytes)
    if (journal.readUInt32BE(at + 4) !== 0) commits += 1
  return commits
}

test('rows of one tick share a transaction', async () => {
  await withLedger({}, async (ledger, file) => {
    await ledger.record(anEvent('req_first'))
    const before = commitsOf(file)
    await Promise.all(Array.from({ length: 500 }, (_, index) => ledger.record(anEvent(`req_${index}`))))
    expect(commitsOf(file)).toBe(before + 1)
    expect(ledger.counters).toEqual({ stored: 501, lost: 0, late: 0, queued: 0, restarts: 0 })
  })
})

test('the file and its journals are private to their owner', async () => {
  await withLedger({}, async (ledger, file) => {
    await ledger.record(anEvent('req_1'))
    const own = readdirSync(folder).filter((name) => join(folder, name).startsWith(file))
    expect(own.length).toBeGreaterThan(1)
    expect(own.map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual(own.map(() => 0o600))
  })
})

test('a broken event is refused alone: its neighbours of the tick are stored', async () => {
  await withLedger({}, async (ledger) => {
    const broken = [
      anEvent('req_2', { status: Number.NaN }),
      { ...anEvent('req_3'), model: undefined } as unknown as LedgerEvent,
    ]
    const results = [anEvent('req_1'), ...broken, anEvent('req_4')].map((event) => reasonOf(ledger.record(event)))
    expect(await Promise.all(results)).toEqual(['recorded', 'store_failed', 'store_failed', 'recorded'])
    expect(ledger.counters).toMatchObject({ stored: 2, lost: 2 })
    expect((await ledger.events({}, { limit: 9 })).events.map(({ id }) => id)).toEqual(['req_4', 'req_1'])
  })
})

test('a locked store costs a bounded time and counted rows, and works again by itself', async () => {
  await withLedger({ recordTimeoutMs: 2_000 }, async (ledger, file) => {
    await withConnection(file, async (database) => {
      database.exec('BEGIN IMMEDIATE')
      expect(await timed(reasonOf(ledger.record(anEvent('req_1'))))).toEqual({ value: 'locked', within: 2_000 })
      // While it fails nobody waits long: a tenth of the time.
      expect(await timed(reasonOf(ledger.record(anEvent('req_2'))))).toEqual({ value: 'timeout', within: 500 })
      expect(ledger.counters).toMatchObject({ stored: 0, lost: 2, queued: 1 })
      expect(await ledger.totals({})).toMatchObject({ requests: 0 }) // questions are answered meanwhile
      database.exec('ROLLBACK')
      await vi.waitFor(() => expect(ledger.counters).toMatchObject({ stored: 1, lost: 2, late: 1, queued: 0 }))
      await ledger.record(anEvent('req_3'))
      const { events } = await ledger.events({}, { limit: 9 })
      expect(events.map(({ id }) => id)).toEqual(['req_3', 'req_2'])
    })
  })
})

test('the queue is bounded: beyond it rows are refused at once and counted', async () => {
  await withLedger({ maxQueued: 3 }, async (ledger) => {
    const results = await Promise.all(
      Array.from({ length: 5 }, (_, at) => reasonOf(ledger.record(anEvent(`req_${at}`)))),
    )
    expect(results).toEqual(['recorded', 'recorded', 'recorded', 'queue_full', 'queue_full'])
    expect(ledger.counters).toEqual({ stored: 3, lost: 2, late: 0, queued: 0, restarts: 0 })
    expect(await reasonOf(ledger.record(anEvent('req_9')))).toBe('recorded')
  })
})

test('a full disk refuses rows with its name, and recording goes on when there is room', async () => {
  await withLedger({ maxBytes: 200 * 4_096 }, async (ledger, file) => {
    const large = (id: number): LedgerEvent => anEvent(`req_${id}`, { rawUsage: 'x'.repeat(20_000) })
    let recorded = 0
    let reason: unknown
    // oxlint-disable-next-line no-await-in-loop -- until the disk is full
    while ((reason = await reasonOf(ledger.record(large(recorded)))) === 'recorded') recorded += 1
    expect(reason).toBe('disk_full')
    expect(recorded).toBeGreaterThan(10)
    expect(ledger.counters).toMatchObject({ stored: recorded, lost: 1 })
    expect(await ledger.totals({})).toMatchObject({ requests: recorded })
    await withConnection(file, async (database) => database.exec('DELETE FROM events'))
    expect(await reasonOf(ledger.record(large(1)))).toBe('recorded')
  })
})

test('a thread that dies takes its rows in flight, counted, and is replaced', async () => {
  const threads = mortalThreads()
  await withLedger({ spawn: threads.spawn }, async (ledger) => {
    await ledger.record(anEvent('req_1'))
    threads.kill(0)
    expect(await reasonOf(ledger.record(anEvent('req_2')))).toBe('worker_crashed')
    await ledger.record(anEvent('req_3'))
    expect((await ledger.events({}, { limit: 9 })).events.map(({ id }) => id)).toEqual(['req_3', 'req_1'])
    expect(ledger.counters).toEqual({ stored: 2, lost: 1, late: 0, queued: 0, restarts: 1 })
  })
})

test('a thread that cannot start again fails rows at once with the reason, until it can', async () => {
  const missing = join(folder, 'missing', 'a.db')
  const threads = mortalThreads((data, index) => (index === 1 || index === 2 ? { ...data, file: missing } : data))
  await withLedger({ spawn: threads.spawn }, async (ledger) => {
    threads.kill(0)
    await vi.waitFor(() => expect(threads.started()).toBe(2))
    await expect(ledger.record(anEvent('req_1'))).rejects.toThrow(missing)
    await vi.waitFor(() => ledger.record(anEvent('req_2')), { timeout: 10_000 })
    expect(await ledger.find(requestId('req_2'))).toEqual(anEvent('req_2'))
    expect(threads.started()).toBe(5) // three writers that failed or died, one that works, and the reader
  })
})

test('a question without an answer ends after its time, and recording goes on', async () => {
  const silent = "require('node:worker_threads').parentPort.on('message', () => {}).postMessage({ kind: 'ready' })"
  let reader: Worker | undefined
  const spawn: Spawn = (entry, workerData) => {
    if (workerData.role === 'writer') return startWorker(entry, workerData)
    reader = new Worker(silent, { eval: true, execArgv: [] })
    return reader
  }
  await withLedger({ spawn, queryTimeoutMs: 50, recordTimeoutMs: 500 }, async (ledger) => {
    expect(await reasonOf(ledger.totals({}))).toBe('timeout')
    expect(await reasonOf(ledger.record(anEvent('req_1')))).toBe('recorded')
  })
  await reader?.terminate()
})

test('closing while the store is locked ends in bounded time and leaves the process whole', async () => {
  const file = nextFile()
  const ledger = await openSqliteLedger({ file, recordTimeoutMs: 200 })
  await withConnection(file, async (database) => {
    database.exec('BEGIN IMMEDIATE')
    const recorded = reasonOf(ledger.record(anEvent('req_1')))
    expect(await timed(ledger.close())).toMatchObject({ within: 500 })
    expect(await recorded).toBe('locked')
    database.exec('ROLLBACK')
  })
})

test('a file that is no database is refused by name and left as it was', async () => {
  const file = nextFile()
  writeFileSync(file, 'not a database, but somebody needs it '.repeat(200))
  const before = readFileSync(file)
  await expect(openSqliteLedger({ file })).rejects.toThrow(`${file}: it is not a SQLite database`)
  expect(readFileSync(file).equals(before)).toBe(true)
})

test("another program's database is refused by name and left as it was", async () => {
  const file = nextFile()
  await withConnection(file, async (database) => database.exec('CREATE TABLE notes (text TEXT)'))
  await expect(openSqliteLedger({ file })).rejects.toThrow(`${file}: it is a SQLite database of another program`)
  await withConnection(file, async (database) => {
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'notes' }])
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' })
  })
})

test('a damaged file is refused by name', async () => {
  const file = nextFile()
  await withLedger({ file }, async (ledger) => {
    await Promise.all(Array.from({ length: 300 }, (_, index) => ledger.record(anEvent(`req_${index}`))))
  })
  const bytes = readFileSync(file)
  bytes.fill(0x5a, 8_192, bytes.length - 4_096)
  writeFileSync(file, bytes)
  await expect(openSqliteLedger({ file })).rejects.toThrow(`${file}: it is damaged`)
})

test('a newer schema is refused with both versions', async () => {
  const file = nextFile()
  await withLedger({ file }, (ledger) => ledger.record(anEvent('req_1')))
  await withConnection(file, async (database) => database.exec('PRAGMA user_version = 99'))
  await expect(openSqliteLedger({ file })).rejects.toThrow(/schema version 99, this build knows up to \d+/)
})

test('a missing folder is named', async () => {
  const file = join(folder, 'missing', 'a.db')
  await expect(openSqliteLedger({ file })).rejects.toThrow(file)
})

test('closing waits for the rows of the last tick', async () => {
  const file = nextFile()
  const ledger = await openSqliteLedger({ file })
  const recorded = ledger.record(anEvent('req_1'))
  await ledger.close()
  await recorded
  await withLedger({ file }, async (again) => expect(await again.totals({})).toMatchObject({ requests: 1 }))
})
