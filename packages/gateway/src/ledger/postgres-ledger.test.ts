import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { epochMs, orgId, requestId } from '@incipit/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toRow } from './event-row.ts'
import type { LedgerEvent, SummaryQuery } from './port.ts'
import type { SqliteLedger, SqliteLedgerOptions, StoreStateChange } from './sqlite-ledger.ts'
import { openSqliteLedger } from './sqlite-ledger.ts'
import { anEvent, reported } from './testing/an-event.ts'
import { ledgerConformance } from './testing/conformance.ts'

const url = process.env['INCIPIT_TEST_POSTGRES'] ?? ''
const control = JSON.parse(process.env['INCIPIT_TEST_POSTGRES_CTL'] ?? '[]') as string[] // set by scripts/with-postgres.mjs

const everything: SummaryQuery = { filter: {}, groupBy: [], interval: 'none', timeZone: 'UTC', limit: 10 }

/** Needs a server: node scripts/with-postgres.mjs npx vitest run postgres-ledger */
describe.skipIf(url === '')('PostgreSQL', () => {
  let folder = ''
  let folders = 0
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'incipit-postgres-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  beforeEach(() => ask('DROP SCHEMA IF EXISTS incipit CASCADE'))

  /** As of a gateway of its own: journals in a folder of their own. */
  async function open(options: Partial<SqliteLedgerOptions> = {}): Promise<SqliteLedger> {
    const home = join(folder, `home-${folders++}`)
    mkdirSync(home)
    return openSqliteLedger({ file: join(home, 'incipit.db'), url, importDelayMs: 10, ...options })
  }

  ledgerConformance('postgres', open)

  const restartable = control.length > 0

  test.skipIf(!restartable)(
    'a database that is away costs no request anything: what is recorded waits, and is stored once when it is back',
    async () => {
      const states: StoreStateChange[] = []
      const ledger = await open({ onState: (state) => states.push(state) })
      try {
        await record(ledger, 0, 20)
        expect((await ledger.totals({})).requests).toBe(20)
        server('stop')
        await record(ledger, 20, 200)
        expect(await ledger.totals({}).catch((error: unknown) => error)).toMatchObject({ reason: 'unreachable' })
        await expect.poll(() => ledger.counters).toMatchObject({ failing: true, lost: 0, unimported: 200 })
        server('start')
        await expect.poll(() => ledger.counters).toMatchObject({ failing: false, stored: 220, lost: 0, unimported: 0 })
        expect((await ledger.summary(everything)).rows[0]?.totals.requests).toBe(220)
        expect(states.map(({ kind }) => kind)).toEqual(['failing', 'working'])
        expect(states[0]).toMatchObject({
          reason: 'unreachable',
          message: expect.not.stringContaining('secret') as string,
        })
      } finally {
        startServer()
        await ledger.close()
      }
    },
  )

  test.skipIf(!restartable)('a gateway starts while the database is away', async () => {
    server('stop')
    try {
      const ledger = await open()
      await record(ledger, 0, 5)
      await expect.poll(() => ledger.counters).toMatchObject({ failing: true, unimported: 5 })
      server('start')
      await expect.poll(() => ledger.counters).toMatchObject({ failing: false, stored: 5 })
      expect((await ledger.events({}, { limit: 10 })).events).toHaveLength(5)
      await ledger.close()
    } finally {
      startServer()
    }
  })

  test('rows are stored once, whenever connections are cut', async () => {
    const ledger = await open({ importDelayMs: 1 })
    const cutting = new AbortController()
    const cutter = (async () => {
      while (!cutting.signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- again and again
        await ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'incipit'")
        // oxlint-disable-next-line no-await-in-loop -- again and again
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
      }
    })()
    try {
      for (let first = 0; first < 3_000; first += 100) {
        // oxlint-disable-next-line no-await-in-loop -- as requests come
        await record(ledger, first, 100)
        // oxlint-disable-next-line no-await-in-loop -- as requests come
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    } finally {
      cutting.abort()
      await cutter
    }
    await expect.poll(() => ledger.counters, { timeout: 50_000 }).toMatchObject({ stored: 3_000, lost: 0 })
    expect((await ledger.summary(everything)).rows[0]?.totals).toMatchObject({ requests: 3_000, inputTokens: 9_000 })
    expect(await ask('SELECT count(*), count(DISTINCT id) FROM incipit.events')).toBe('3000|3000')
    await ledger.close()
  })

  test('a transaction whose connection is lost between two statements leaves nothing, and the next one works', async () => {
    // Compiled, in a process of its own: under the conditions of the tests, `pg` does not load.
    const entry = new URL('../../dist/ledger/postgres-connection.js', import.meta.url).href
    const script = `
      const { openPostgres } = await import(${JSON.stringify(entry)})
      const [url] = process.argv.slice(1)
      const [connection, other] = [await openPostgres({ url, role: 'writer', queryTimeoutMs: 60_000 }), await openPostgres({ url, role: 'reader', queryTimeoutMs: 60_000 })]
      const note = (name) => connection.run('INSERT INTO ledger_state (name, value) VALUES (?, 1)', [name])
      const lost = await connection.transaction(async () => {
        await note('before')
        const [{ pid }] = await connection.all('SELECT pg_backend_pid() AS pid')
        await other.all('SELECT pg_terminate_backend(?)::text', [pid])
        await new Promise((resolve) => setTimeout(resolve, 200))
        await note('after')
      }).catch(({ code }) => code)
      const kept = await connection.transaction(() => note('next'))
      console.log(JSON.stringify([lost, kept, await other.all('SELECT name FROM ledger_state')]))
      await Promise.all([connection.close(), other.close()])`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, url])
    expect(JSON.parse(stdout)).toEqual(['unreachable', 1, [{ name: 'next' }]])
  })

  test('several gateways share a database, which the first of them prepares', async () => {
    const ledgers = await Promise.all([open(), open(), open()])
    await Promise.all(ledgers.map((ledger, index) => record(ledger, index * 300, 300)))
    for (const ledger of ledgers) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect.poll(async () => (await ledger.totals({})).requests).toBe(900)
    }
    expect((await ledgers[0]?.summary({ ...everything, groupBy: ['model'] }))?.rows[0]?.totals.inputTokens).toBe(2_700)
    await Promise.all(ledgers.map((ledger) => ledger.close()))
  })

  test('a table that somebody locks delays no record', async () => {
    const ledger = await open()
    await record(ledger, 0, 1)
    await ledger.totals({})
    const lock = await lockTable('incipit.events')
    await record(ledger, 1, 50)
    await expect.poll(() => ledger.counters).toMatchObject({ failing: true, unimported: 50, lost: 0 })
    await lock.release()
    await expect.poll(() => ledger.counters).toMatchObject({ failing: false, stored: 51 })
    await ledger.close()
  })

  test('rows that the schema refuses do not keep their neighbours out', async () => {
    const ledger = await open({ importDelayMs: 60_000 })
    const broken = [
      anEvent('req_2', { status: Number.NaN }),
      anEvent('req_3', { status: 1.5 }),
      anEvent('req_5', { model: 'm'.repeat(40_000).replaceAll('m', () => Math.random().toString(36)) }),
    ]
    const surrogate = anEvent('req_6', { model: 'a\ud800b' })
    await Promise.all([anEvent('req_1'), ...broken, anEvent('req_4'), surrogate].map((event) => ledger.record(event)))
    expect((await ledger.events({}, { limit: 9 })).events.map(({ id }) => id)).toEqual(['req_6', 'req_4', 'req_1'])
    expect((await ledger.find(requestId('req_6')))?.model).toBe('a\uFFFDb')
    expect(ledger.counters).toMatchObject({ stored: 3, lost: 3 })
    await ledger.close()
  })

  test('what was erased does not come back from a gateway that was away', async () => {
    const ledger = await open()
    await record(ledger, 0, 10)
    expect(await ledger.erase({ org: orgId('acme') })).toBe(10)
    const home = join(folder, 'away')
    mkdirSync(home)
    const line = (event: LedgerEvent): string => `${JSON.stringify(toRow(event))}\n`
    const rows = [
      anEvent('req_a'),
      anEvent('req_b', { org: orgId('other') }),
      anEvent('req_c', { at: epochMs(Date.now() + 60_000) }),
    ]
    writeFileSync(join(home, 'incipit.db.rows-1-00-1'), rows.map(line).join(''))
    const other = await openSqliteLedger({ file: join(home, 'incipit.db'), url })
    expect((await other.events({}, { limit: 10 })).events.map(({ id }) => id)).toEqual(['req_c', 'req_b'])
    expect((await other.summary(everything)).rows[0]?.totals.requests).toBe(2)
    await other.close()
    await ledger.close()
    expect(readdirSync(home)).toEqual([])
  })

  test('what cannot be used is refused in plain words, without the password', async () => {
    const refusal = (wrong: string): Promise<string> =>
      open({ url: wrong }).then(
        async (ledger) => {
          await ledger.close()
          return 'opened'
        },
        (error: Error) => error.message,
      )
    expect(await refusal(url.replace(':secret@', ':wrong-one@'))).toMatch(
      /^cannot use the ledger database postgres:\/\/\*\*\*@\/postgres: the database refuses this user or password/,
    )
    expect(await refusal(url.replace('/postgres?', '/nowhere?'))).toContain(
      'there is no such database: create it first',
    )
    await ask("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'secret'")
    expect(await refusal(url.replace('incipit:', 'guest:'))).toContain(
      'the role lacks a permission: it must own the schema',
    )
    await (await open()).close()
    await ask('UPDATE incipit.schema_version SET version = 99')
    expect(await refusal(url)).toMatch(/schema version 99, this build knows up to \d+: use a newer build/)
  })

  async function record(ledger: SqliteLedger, first: number, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, index) =>
      anEvent(`req_${first + index}`, {
        ...reported({ fresh: 2, read: 1, output: 1 }),
        at: epochMs(1.7e12 + first + index),
      }),
    )
    await Promise.all(events.map((event) => ledger.record(event)))
  }
})

/** One statement, by `psql`; rows as lines, columns apart by `|`. */
async function ask(sql: string): Promise<string> {
  const { stdout } = await promisify(execFile)('psql', ['-qAt', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', sql])
  return stdout.trim()
}

/** Holds a lock on a table until `release` is called. */
async function lockTable(table: string): Promise<{ release(): Promise<void> }> {
  const other = spawn('psql', ['-qAt', '-d', url], { stdio: ['pipe', 'pipe', 'inherit'] })
  other.stdin.write(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n`)
  await once(other.stdout, 'data')
  return {
    async release() {
      other.stdin.end('ROLLBACK;\n')
      await once(other, 'exit')
    },
  }
}

function server(what: 'stop' | 'start'): void {
  const [program = '', ...flags] = control
  const how = what === 'stop' ? ['-m', 'fast', 'stop'] : ['start']
  execFileSync(program, [...flags, ...how], { stdio: 'ignore' })
}

/** After a failed test it may be stopped still; starting one that runs is refused. */
function startServer(): void {
  try {
    server('start')
  } catch {
    // It runs.
  }
}
