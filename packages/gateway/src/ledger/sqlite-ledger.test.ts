import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { epochMs, requestId } from '@incipit/core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { SqlDatabase } from './driver.ts'
import { openDatabase, sqlDrivers } from './driver.ts'
import type { JournalDisk } from './journal-disk.ts'
import { fileDisk } from './journal-disk.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import type { LedgerEvent } from './port.ts'
import { toRow } from './event-row.ts'
import type { RefusedRows, SqliteLedger, SqliteLedgerOptions } from './sqlite-ledger.ts'
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

for (const driver of sqlDrivers()) {
  ledgerConformance(`sqlite (${driver})`, () => openSqliteLedger({ file: nextFile(), driver }))
}

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

const none = {
  stored: 0,
  lost: 0,
  late: 0,
  queued: 0,
  unimported: 0,
  unimportedBytes: 0,
  recovered: 0,
  garbage: 0,
  restarts: 0,
  pruned: 0,
  erased: 0,
  failing: false,
}

/** Newest first; events of one instant by their id. */
async function idsOf(ledger: SqliteLedger): Promise<string[]> {
  return (await ledger.events({}, { limit: 1_000 })).events.map(({ id }) => id)
}

/** What a store file holds, whatever waits in journals. */
async function idsIn(file: string): Promise<unknown[]> {
  let ids: unknown[] = []
  await withConnection(file, async (database) => {
    ids = database
      .prepare('SELECT id FROM events ORDER BY id')
      .all()
      .map(({ id }) => id)
  })
  return ids
}

/** The files of a ledger, by what follows the name of the store file. */
function filesOf(file: string): string[] {
  const paths = readdirSync(folder).map((name) => join(folder, name))
  return paths
    .filter((path) => path === file || path.startsWith(`${file}-`) || path.startsWith(`${file}.`))
    .map((path) => path.slice(file.length))
    .sort()
}

const journalsOf = (file: string): string[] => filesOf(file).filter((name) => name.startsWith('.rows'))

/** The real disk, which counts, with a place to interfere: `before` may throw, wait, or allow a part only. */
function watchedDisk(
  before: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array> = (bytes) => bytes,
): JournalDisk & {
  writes: number
} {
  const disk = {
    writes: 0,
    writeSync(fd: number, bytes: Uint8Array): number {
      disk.writes += 1
      return fileDisk.writeSync(fd, before(bytes) as Uint8Array) // blocking writes are given no promises
    },
    async write(fd: number, bytes: Uint8Array): Promise<number> {
      disk.writes += 1
      return fileDisk.write(fd, await before(bytes))
    },
  }
  return disk
}

const fullDisk = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

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
    expect(filesOf(path)).toEqual([''])
  }
})

/** Commits in SQLite's log: frames of 24 bytes and a page, whose second word is 0 but at the end of a transaction. */
function commitsOf(file: string): number {
  const journal = readFileSync(`${file}-wal`)
  const frameBytes = 24 + journal.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + frameBytes <= journal.length; at += frameBytes)
    if (journal.readUInt32BE(at + 4) !== 0) commits += 1
  return commits
}

test('rows of one tick share a write, and enter the store in one transaction', async () => {
  const disk = watchedDisk()
  await withLedger({ disk, importDelayMs: 60_000 }, async (ledger, file) => {
    await ledger.record(anEvent('req_first'))
    await ledger.totals({})
    const before = commitsOf(file)
    await Promise.all(Array.from({ length: 500 }, (_, index) => ledger.record(anEvent(`req_${index}`))))
    expect(disk.writes).toBe(2)
    expect(commitsOf(file)).toBe(before)
    expect(ledger.counters).toMatchObject({ stored: 1, unimported: 500 })
    await ledger.totals({})
    expect(commitsOf(file)).toBe(before + 1)
    expect(ledger.counters).toEqual({ ...none, stored: 501 })
  })
})

test('rows enter the store by themselves, without a question', async () => {
  await withLedger({ importDelayMs: 10 }, async (ledger, file) => {
    await ledger.record(anEvent('req_1'))
    await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 1 })
    expect(await idsIn(file)).toEqual(['req_1'])
  })
})

test('many rows enter the store without waiting for company', async () => {
  await withLedger({ importDelayMs: 600_000 }, async (ledger) => {
    const large = anEvent('', { rawUsage: 'x'.repeat(2 ** 20) })
    await ledger.record({ ...large, id: requestId('req_1') })
    await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 1 })
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

test('a row that the schema refuses is counted as lost and reported: its neighbours of the tick are stored', async () => {
  const refused = vi.fn<(rows: RefusedRows) => void>()
  await withLedger({ onRefused: refused }, async (ledger) => {
    const broken = [
      anEvent('req_2', { status: Number.NaN }),
      { ...anEvent('req_3'), model: undefined } as unknown as LedgerEvent,
    ]
    const results = [anEvent('req_1'), ...broken, anEvent('req_4')].map((event) => reasonOf(ledger.record(event)))
    expect(await Promise.all(results)).toEqual(['recorded', 'recorded', 'recorded', 'recorded'])
    expect((await ledger.events({}, { limit: 9 })).events.map(({ id }) => id)).toEqual(['req_4', 'req_1'])
    expect(ledger.counters).toEqual({ ...none, stored: 2, lost: 2 })
    const reasons = [expect.stringContaining('events.status'), expect.stringContaining('events.model')]
    expect(refused.mock.calls).toEqual([[{ rows: 2, messages: reasons }]])
  })
})

test('a locked store delays no record and loses nothing, and questions see what is stored', async () => {
  await withLedger({ importDelayMs: 10 }, async (ledger, file) => {
    await withConnection(file, async (database) => {
      database.exec('BEGIN IMMEDIATE')
      for (let number = 1; number <= 30; number++) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other, as requests come
        expect(await reasonOf(ledger.record(anEvent(`req_${number}`)))).toBe('recorded')
      }
      // All of this while the lock is held: nobody waits for its end.
      expect(await ledger.totals({})).toMatchObject({ requests: 0 })
      expect(await ledger.totals({})).toMatchObject({ requests: 0 })
      expect(ledger.counters).toMatchObject({ stored: 0, lost: 0, queued: 0, unimported: 30 })
      database.exec('ROLLBACK')
      // By itself: nobody has to ask.
      await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 30 })
      expect(await ledger.totals({})).toMatchObject({ requests: 30 })
    })
  })
})

test('what waits for a store is bounded: beyond it rows are refused and counted, and taken again when it is there', async () => {
  await withLedger({ importDelayMs: 10, maxUnimportedBytes: 2_000 }, async (ledger, file) => {
    let recorded = 0
    await withConnection(file, async (database) => {
      database.exec('BEGIN IMMEDIATE')
      // oxlint-disable-next-line no-await-in-loop -- until it is full
      while ((await reasonOf(ledger.record(anEvent(`req_${recorded}`)))) === 'recorded') recorded += 1
      expect(recorded).toBeGreaterThan(2)
      expect(await reasonOf(ledger.record(anEvent('req_refused')))).toBe('queue_full')
      expect(ledger.counters).toMatchObject({ lost: 2, unimported: recorded })
      database.exec('ROLLBACK')
    })
    await expect.poll(() => reasonOf(ledger.record(anEvent('req_after')))).toBe('recorded')
    expect(await ledger.totals({})).toMatchObject({ requests: recorded + 1 })
  })
})

test('the queue is bounded: beyond it rows are refused at once and counted', async () => {
  await withLedger({ maxQueued: 3 }, async (ledger) => {
    const results = await Promise.all(
      Array.from({ length: 5 }, (_, at) => reasonOf(ledger.record(anEvent(`req_${at}`)))),
    )
    expect(results).toEqual(['recorded', 'recorded', 'recorded', 'queue_full', 'queue_full'])
    expect(ledger.counters).toMatchObject({ lost: 2, queued: 0, unimported: 3 })
    expect(await reasonOf(ledger.record(anEvent('req_9')))).toBe('recorded')
  })
})

test('a full store keeps rows waiting, and takes them when there is room', async () => {
  await withLedger({ maxBytes: 200 * 4_096, importDelayMs: 10 }, async (ledger, file) => {
    const large = (id: string): LedgerEvent => anEvent(id, { rawUsage: 'x'.repeat(20_000) })
    const recordMany = (name: string): Promise<unknown[]> =>
      Promise.all(Array.from({ length: 25 }, (_, row) => reasonOf(ledger.record(large(`req_${name}_${row}`)))))
    await recordMany('first')
    expect(await ledger.totals({})).toMatchObject({ requests: 25 })
    expect(new Set(await recordMany('second'))).toEqual(new Set(['recorded']))
    expect(await ledger.totals({})).toMatchObject({ requests: 25 })
    expect(ledger.counters).toMatchObject({ stored: 25, lost: 0, unimported: 25 })
    await withConnection(file, async (database) => database.exec('DELETE FROM events'))
    await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 50 })
    expect((await ledger.events({}, { limit: 50 })).events).toHaveLength(25)
  })
})

test('a full store takes rows again when old ones have been pruned', async () => {
  await withLedger({ maxBytes: 200 * 4_096, importDelayMs: 10 }, async (ledger) => {
    const recordMany = (name: string, at: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 25 }, (_, row) =>
          ledger.record(anEvent(`req_${name}_${row}`, { rawUsage: 'x'.repeat(20_000), at: epochMs(at) })),
        ),
      )
    await recordMany('old', 1_700_000_000_000)
    expect(await ledger.totals({})).toMatchObject({ requests: 25 })
    await recordMany('new', 1_700_086_400_000)
    await expect.poll(() => ledger.counters).toMatchObject({ unimported: 25, failing: true })
    expect(await ledger.prune(epochMs(1_700_080_000_000))).toBe(25)
    await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 50, pruned: 25 })
    expect((await ledger.events({}, { limit: 50 })).events).toHaveLength(25)
    expect(await ledger.totals({})).toMatchObject({ requests: 50 })
  })
})

test('a thread that dies loses nothing, and is replaced', async () => {
  const threads = mortalThreads()
  await withLedger({ spawn: threads.spawn }, async (ledger) => {
    await ledger.record(anEvent('req_1'))
    threads.kill(0)
    await ledger.record(anEvent('req_2'))
    expect(await idsOf(ledger)).toEqual(['req_2', 'req_1'])
    await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 2, restarts: 1 })
    await ledger.record(anEvent('req_3'))
    expect(await idsOf(ledger)).toEqual(['req_3', 'req_2', 'req_1'])
  })
})

test.each([
  ['deleted', (file: string) => rmSync(file)],
  ['replaced by another one', (file: string) => (rmSync(file), writeFileSync(file, ''))],
])('a file that is %s while it is in use is noticed: rows wait, and the next start has them', async (_how, harm) => {
  const file = nextFile()
  const states: string[] = []
  const onState: SqliteLedgerOptions['onState'] = (state) => states.push(state.kind)
  await withLedger({ file, importDelayMs: 10, onState }, async (ledger) => {
    await ledger.record(anEvent('req_1'))
    expect(await idsOf(ledger)).toEqual(['req_1'])
    harm(file)
    await ledger.record(anEvent('req_2'))
    await expect.poll(() => ledger.counters).toMatchObject({ stored: 1, lost: 0, unimported: 1, failing: true })
    // What was there when it was deleted can still be read.
    expect(await idsOf(ledger)).toEqual(['req_1'])
    expect(states).toEqual(['failing'])
  })
  expect(existsSync(file) ? statSync(file).size : 0).toBe(0)
  await withLedger({ file }, async (ledger) => expect(await idsOf(ledger)).toContain('req_2'))
})

test('while its thread cannot start again, recording goes on, and all of it is stored when it can', async () => {
  const missing = join(folder, 'missing', 'a.db')
  const threads = mortalThreads((data, index) => (index === 1 || index === 2 ? { ...data, file: missing } : data))
  await withLedger({ spawn: threads.spawn, importDelayMs: 10 }, async (ledger) => {
    threads.kill(0)
    await vi.waitFor(() => expect(threads.started()).toBe(2))
    await ledger.record(anEvent('req_1'))
    await expect.poll(() => ledger.counters).toEqual({ ...none, stored: 1, restarts: 3 })
    expect(await ledger.find(requestId('req_1'))).toEqual(anEvent('req_1'))
    expect(threads.started()).toBe(5) // three writers that failed or died, one that works, and the reader
  })
})

test('a question without an answer ends after its time, and recording goes on', async () => {
  const ready = JSON.stringify({ kind: 'ready', recovered: 0, garbage: 0, refused: 0, refusals: [] })
  const silent = `require('node:worker_threads').parentPort.on('message', () => {}).postMessage(${ready})`
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

test('closing while the store is locked does not wait for its end, and the next start has the rows', async () => {
  const file = nextFile()
  const ledger = await openSqliteLedger({ file, recordTimeoutMs: 200 })
  await withConnection(file, async (database) => {
    database.exec('BEGIN IMMEDIATE')
    const recorded = reasonOf(ledger.record(anEvent('req_1')))
    await ledger.close()
    expect(await recorded).toBe('recorded')
    database.exec('ROLLBACK')
  })
  await withLedger({ file }, async (again) => {
    expect(again.counters).toEqual({ ...none, recovered: 1 })
    expect(await idsOf(again)).toEqual(['req_1'])
  })
  expect(filesOf(file)).toEqual([''])
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

test('a full disk refuses rows with its name, leaves no half line, and recording goes on when there is room', async () => {
  let room = Infinity
  const disk = watchedDisk((bytes) => {
    if (room === 0) throw fullDisk()
    const taken = bytes.subarray(0, room)
    room -= taken.length
    return taken
  })
  await withLedger({ disk }, async (ledger, file) => {
    await ledger.record(anEvent('req_1'))
    room = Math.floor(1.5 * lineBytes)
    const results = [2, 3, 4].map((number) => reasonOf(ledger.record(anEvent(`req_${number}`))))
    // They share a write, and its failure; the line that is whole stays, for somebody may have read it.
    expect(await Promise.all(results)).toEqual(['disk_full', 'disk_full', 'disk_full'])
    expect(await reasonOf(ledger.record(anEvent('req_5')))).toBe('disk_full')
    expect(ledger.counters).toMatchObject({ lost: 4, late: 1, queued: 0, unimported: 2 })
    const [journal] = journalsOf(file)
    expect(
      readFileSync(`${file}${journal}`, 'utf8')
        .split('\n')
        .map((line) => line.slice(0, 8)),
    ).toEqual(['["req_1"', '["req_2"', ''])
    room = Infinity
    await ledger.record(anEvent('req_6'))
    expect(await idsOf(ledger)).toEqual(['req_6', 'req_2', 'req_1'])
    expect(ledger.counters).toEqual({ ...none, stored: 3, lost: 4, late: 1 })
  })
})

const lineBytes = JSON.stringify(toRow(anEvent('req_1'))).length + 1

test('whatever a disk takes and refuses: recorded rows are stored, and what is not is counted', async () => {
  const outcome = fc.oneof(fc.constant('all'), fc.constant('full'), fc.integer({ min: 0, max: 3 * lineBytes }))
  const plan = fc.array(outcome, { minLength: 1, maxLength: 12 })
  const property = fc.asyncProperty(
    plan,
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
    async (outcomes, ticks) => {
      const left = [...outcomes]
      const disk = watchedDisk((bytes) => {
        const next = left.shift() ?? 'all'
        if (next === 'full') throw fullDisk()
        return next === 'all' ? bytes : bytes.subarray(0, next)
      })
      await withLedger({ disk }, async (ledger) => {
        const recorded: string[] = []
        let refused = 0
        for (const [tick, rows] of ticks.entries()) {
          const ids = Array.from({ length: rows }, (_, row) => `req_${tick}_${row}`)
          // oxlint-disable-next-line no-await-in-loop -- tick by tick
          const results = await Promise.all(ids.map((id) => reasonOf(ledger.record(anEvent(id)))))
          recorded.push(...ids.filter((_, index) => results[index] === 'recorded'))
          refused += results.filter((result) => result !== 'recorded').length
        }
        const stored = await idsOf(ledger)
        expect(recorded.filter((id) => !stored.includes(id))).toEqual([])
        expect(ledger.counters).toEqual({
          ...none,
          stored: stored.length,
          lost: refused,
          late: stored.length - recorded.length,
        })
      })
    },
  )
  await fc.assert(property, { numRuns: 8 })
})

test('a slow disk is written to in the background: the event loop is held once, and what hangs is refused in time', async () => {
  const hanging: (() => void)[] = []
  let mode: 'blocking' | 'hanging' | 'fast' = 'blocking'
  const disk = watchedDisk((bytes) => {
    if (mode === 'blocking') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    return mode === 'hanging' ? new Promise((resolve) => hanging.push(() => resolve(bytes))) : bytes
  })
  await withLedger({ disk, recordTimeoutMs: 200 }, async (ledger) => {
    await ledger.record(anEvent('req_1'))
    mode = 'hanging'
    const first = reasonOf(ledger.record(anEvent('req_2')))
    await expect.poll(() => hanging.length).toBe(1)
    const second = reasonOf(ledger.record(anEvent('req_3')))
    expect(await first).toBe('timeout')
    expect(await second).toBe('timeout')
    expect(ledger.counters).toMatchObject({ lost: 2, late: 0, queued: 2 })
    expect(disk.writes).toBe(2) // one at a time: the third row waits for the second
    mode = 'fast'
    for (const end of hanging) end()
    await expect.poll(() => ledger.counters).toMatchObject({ lost: 2, late: 2, queued: 0 })
    await ledger.record(anEvent('req_4'))
    expect(await idsOf(ledger)).toEqual(['req_4', 'req_3', 'req_2', 'req_1'])
    expect(ledger.counters).toEqual({ ...none, stored: 4, lost: 2, late: 2 })
  })
})

test('what another process left behind is imported before the ledger is ready: torn and garbage lines do not harm it', async () => {
  const file = nextFile()
  await withLedger({ file }, (ledger) => ledger.record(anEvent('req_1')))
  const line = (id: string): string => `${JSON.stringify(toRow(anEvent(id)))}\n`
  const older = `${JSON.stringify(toRow(anEvent('req_4')).slice(0, -1))}\n`
  const text = `${line('req_2')}\0\0not a row\n{}\n\n${line('req_3')}${line('req_2')}${older}${line('req_5').slice(0, -1)}`
  writeFileSync(`${file}.rows-1-00-1`, text)
  writeFileSync(`${file}.rows-1-00-2.taken`, line('req_6'))
  await withLedger({ file }, async (ledger) => {
    expect(journalsOf(file)).toEqual([])
    expect(await idsIn(file)).toEqual(['req_1', 'req_2', 'req_3', 'req_4', 'req_6'])
    expect(ledger.counters).toMatchObject({ garbage: 3, recovered: 5, lost: 0 })
    expect(await ledger.find(requestId('req_4'))).toEqual(anEvent('req_4'))
  })
  await withConnection(file, async (database) => expect(database.prepare('SELECT * FROM journals').all()).toEqual([]))
})

test('a journal that the store has half of is imported from there on', async () => {
  const file = nextFile()
  await withLedger({ file }, (ledger) => ledger.record(anEvent('req_1')))
  const line = (id: string): string => `${JSON.stringify(toRow(anEvent(id)))}\n`
  writeFileSync(`${file}.rows-1-00-1`, `${line('req_2')}${line('req_3')}`)
  await withConnection(file, async (database) => {
    database
      .prepare('INSERT INTO journals VALUES (?, ?, 1, 1)')
      .run([`${basename(file)}.rows-1-00-1`, line('req_2').length])
    database.prepare("INSERT INTO journals VALUES ('gone', 7, 1, 1)").run()
  })
  await withLedger({ file }, async (ledger) => {
    expect(ledger.counters).toEqual({ ...none, recovered: 1 })
    expect(await idsIn(file)).toEqual(['req_1', 'req_3'])
  })
  await withConnection(file, async (database) => expect(database.prepare('SELECT * FROM journals').all()).toEqual([]))
})

test('journals are followed by new ones, and go when they are in the store', async () => {
  await withLedger({ rotateBytes: 4 * lineBytes, importDelayMs: 600_000 }, async (ledger, file) => {
    for (let number = 10; number < 29; number++) {
      // oxlint-disable-next-line no-await-in-loop -- tick by tick
      await ledger.record(anEvent(`req_${number}`))
    }
    expect(journalsOf(file)).toHaveLength(5)
    expect(ledger.counters).toMatchObject({ stored: 0, unimported: 19 })
    expect(await ledger.totals({})).toMatchObject({ requests: 19 })
    expect(journalsOf(file)).toHaveLength(1)
    expect(ledger.counters).toEqual({ ...none, stored: 19 })
  })
})

test('a journal that is taken away while it is written to loses nothing', async () => {
  let take = (): void => undefined
  const disk = watchedDisk((bytes) => {
    take()
    return bytes
  })
  await withLedger({ disk, importDelayMs: 600_000 }, async (ledger, file) => {
    await ledger.record(anEvent('req_1'))
    const [first] = journalsOf(file)
    // Another process renames it between the opening and the write: the lines are in a file that may have been read.
    take = () => {
      take = () => undefined
      renameSync(`${file}${first}`, `${file}${first}.taken`)
    }
    await ledger.record(anEvent('req_2'))
    expect(journalsOf(file)).toHaveLength(2)
    rmSync(`${file}${first}.taken`) // as that process had not seen req_2
    await ledger.record(anEvent('req_3'))
    expect(await idsOf(ledger)).toEqual(['req_3', 'req_2'])
    expect(ledger.counters).toMatchObject({ lost: 0, queued: 0, unimported: 0, unimportedBytes: 0 })
  })
})

test('several ledgers on one file lose nothing, double nothing, and see the rows of all', async () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 2 }),
    what: fc.constantFrom('record', 'record', 'record', 'ask', 'reopen'),
  })
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 15 }), async (steps) => {
    const file = nextFile()
    const open = (): Promise<SqliteLedger> =>
      openSqliteLedger({ file, rotateBytes: 2 * lineBytes, importDelayMs: 600_000 })
    const ledgers = await Promise.all([open(), open(), open()])
    const recorded: string[] = []
    const seen: [string[], string[]][] = []
    try {
      for (const { who, what } of steps) {
        const ledger = ledgers[who]
        if (ledger === undefined) throw new Error('unreachable')
        if (what === 'record') {
          const id = `req_${String(recorded.length).padStart(2, '0')}`
          recorded.push(id)
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await ledger.record(anEvent(id))
          // oxlint-disable-next-line no-await-in-loop -- one after the other
        } else if (what === 'ask') seen.push([await idsOf(ledger), recorded.toReversed()])
        else {
          // One more while the other lives: it takes the journals of all.
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          ledgers[who] = await open()
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await ledger.close()
        }
      }
    } finally {
      await Promise.all(ledgers.map((ledger) => ledger.close()))
    }
    expect(seen.map(([ids]) => ids)).toEqual(seen.map(([, ids]) => ids))
    expect(await idsIn(file)).toEqual(recorded)
    expect(journalsOf(file)).toEqual([])
  })
  await fc.assert(property, { numRuns: 5 })
})
