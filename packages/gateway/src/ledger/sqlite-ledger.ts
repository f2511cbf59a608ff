import { Worker } from 'node:worker_threads'
import type { RequestId } from '@incipit/core'
import { compiledEntry } from '@incipit/core'
import type { SqlRow, SqlValue } from './driver.ts'
import { findQuery, pageQuery, toPage, toTotals, totalsQuery } from './event-queries.ts'
import type { SqlQuery } from './event-queries.ts'
import { fromRow, toRow } from './event-row.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import { LedgerError } from './ledger-error.ts'
import type { EventFilter, EventPage, Ledger, LedgerEvent, LedgerTotals } from './port.ts'
import { settlesWithin } from './settles-within.ts'
import { ledgerErrorOf } from './store-failure.ts'
import type { Answer } from './worker-channel.ts'
import { WorkerChannel } from './worker-channel.ts'

/** How a SQLite ledger is opened. */
export interface SqliteLedgerOptions {
  /** Path of the store file; its folder exists. Created with mode 0600 when missing. */
  readonly file: string
  /** How long `record` waits for its commit; default 1000. After one failure, a tenth until the store answers again. */
  readonly recordTimeoutMs?: number | undefined
  /** How long a question may take; default 30,000. */
  readonly queryTimeoutMs?: number | undefined
  /** Rows that wait for their commit at most; default 10,000. */
  readonly maxQueued?: number | undefined
  /** The file never grows past this many bytes; rows are refused then as on a full disk. Default: no bound. */
  readonly maxBytes?: number | undefined
  /** Starts a worker thread; for tests that break it. */
  readonly spawn?: ((entry: URL, data: LedgerFileOptions) => Worker) | undefined
}

/** What happened to rows since the start. */
export interface LedgerCounters {
  readonly stored: number
  /** Rows whose `record` was rejected. */
  readonly lost: number
  /** Of those, rows that were stored nevertheless, after their time. Missing for good: `lost - late`. */
  readonly late: number
  /** Rows that wait for their commit now. */
  readonly queued: number
  /** Worker threads that died and were replaced. */
  readonly restarts: number
}

/** The embedded ledger, with its counters for metrics. */
export interface SqliteLedger extends Ledger {
  /** @throws LedgerError within `recordTimeoutMs`, counted in `counters.lost` */
  record(event: LedgerEvent): Promise<void>
  readonly counters: LedgerCounters
}

/**
 * Opens the ledger in one SQLite file, in worker threads of its own: one writes, and one, started
 * at the first question, reads, so that a long question never delays a request. Rows of one tick share
 * a transaction. A slow, locked or full store rejects `record` after a bounded time; it works again when
 * the store does. Close it before `process.exit`: ending a thread within libsql can abort the process.
 *
 * @throws Error naming the file when it is damaged, another program's, or of a newer schema
 * @example const ledger = await openSqliteLedger({ file: join(dataDir, 'incipit.db') })
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<SqliteLedger> {
  const timeoutMs = options.recordTimeoutMs ?? 1_000
  const spawn = options.spawn ?? startWorker
  const channelOf = (role: LedgerFileOptions['role']): Promise<WorkerChannel> => {
    const entry = compiledEntry(import.meta.url, './ledger-worker.js')
    // SQLite gives up on a lock before the caller does, so that the reason is known.
    const busyMs = Math.ceil(timeoutMs / 2)
    const data: LedgerFileOptions = { file: options.file, busyMs, maxBytes: options.maxBytes, role }
    return WorkerChannel.open(() => spawn(entry, data))
  }
  const writer = await channelOf('writer')
  return new WorkerLedger({
    writer,
    openReader: () => channelOf('reader'),
    recordTimeoutMs: timeoutMs,
    queryTimeoutMs: options.queryTimeoutMs ?? 30_000,
    maxQueued: options.maxQueued ?? 10_000,
  })
}

/**
 * Starts the thread of the ledger. Without the flags of this process: under `--conditions=source` (tests)
 * the compiled entry would resolve its packages to sources, which threads cannot run on every Node.
 */
export function startWorker(entry: URL, workerData: LedgerFileOptions): Worker {
  return new Worker(entry, { workerData, execArgv: [] })
}

interface WorkerLedgerParts {
  readonly writer: WorkerChannel
  readonly openReader: () => Promise<WorkerChannel>
  readonly recordTimeoutMs: number
  readonly queryTimeoutMs: number
  readonly maxQueued: number
}

/** One row on its way: settled once, by its commit, its refusal or its time. */
interface QueuedRow {
  readonly values: readonly SqlValue[]
  readonly resolve: () => void
  readonly reject: (error: LedgerError) => void
}

class WorkerLedger implements SqliteLedger {
  readonly #parts: WorkerLedgerParts
  #reader: Promise<WorkerChannel> | undefined
  #tick: QueuedRow[] = []
  readonly #batches = new Set<Promise<void>>()
  #queued = 0
  #stored = 0
  #lost = 0
  #late = 0
  /** The last batch failed: until one succeeds nobody waits long. */
  #failing = false
  #closing = false

  constructor(parts: WorkerLedgerParts) {
    this.#parts = parts
  }

  get counters(): LedgerCounters {
    const { restarts } = this.#parts.writer
    return { stored: this.#stored, lost: this.#lost, late: this.#late, queued: this.#queued, restarts }
  }

  async record(event: LedgerEvent): Promise<void> {
    const values = toRow(event)
    if (this.#closing) throw this.#lose(new LedgerError('closed', 'the ledger is closed'))
    if (this.#queued >= this.#parts.maxQueued) {
      const message = `${this.#queued} rows wait for the ledger, ${this.#parts.maxQueued} allowed`
      throw this.#lose(new LedgerError('queue_full', message))
    }
    this.#queued += 1
    return new Promise((resolve, reject) => {
      if (this.#tick.length === 0) setImmediate(() => this.#flush())
      this.#tick.push({ values, resolve, reject })
    })
  }

  async events(filter: EventFilter, page: { limit: number; cursor?: string | undefined }): Promise<EventPage> {
    return toPage(await this.#query(pageQuery(filter, page)), page.limit)
  }

  async find(id: RequestId): Promise<LedgerEvent | undefined> {
    const [row] = await this.#query(findQuery(id))
    return row === undefined ? undefined : fromRow(row)
  }

  async totals(filter: EventFilter): Promise<LedgerTotals> {
    const [row] = await this.#query(totalsQuery(filter))
    return toTotals(row)
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#flush()
    await Promise.all(this.#batches)
    const reader = await this.#reader?.catch(() => undefined)
    await reader?.close(this.#parts.recordTimeoutMs)
    await this.#parts.writer.close(this.#parts.recordTimeoutMs)
  }

  #flush(): void {
    const rows = this.#tick
    if (rows.length === 0) return
    this.#tick = []
    const batch = this.#store(rows).finally(() => this.#batches.delete(batch))
    this.#batches.add(batch)
  }

  /** Sends one tick's rows. Ends when they are settled; the thread's verdict may come later still. */
  async #store(rows: readonly QueuedRow[]): Promise<void> {
    const { writer, recordTimeoutMs } = this.#parts
    const allowedMs = this.#failing ? recordTimeoutMs / 10 : recordTimeoutMs
    let overdue = false
    const verdict = writer
      .send({ kind: 'record', rows: rows.map((row) => row.values) })
      .catch((error: Error) => ledgerErrorOf(error))
      .then((answer) => this.#settle(rows, answer, overdue))
    const inTime = await settlesWithin(verdict, allowedMs)
    if (inTime) return
    overdue = true
    this.#refuse(rows, new LedgerError('timeout', `the ledger did not answer within ${allowedMs} ms`))
  }

  #settle(rows: readonly QueuedRow[], answer: Answer | LedgerError, overdue: boolean): void {
    this.#queued -= rows.length
    if (answer instanceof LedgerError || answer.kind !== 'recorded') {
      if (!overdue) this.#refuse(rows, ledgerErrorOf(answer))
      return
    }
    this.#failing = false
    const failed = new Map(answer.failedRows.map(({ row, message }) => [row, message]))
    rows.forEach((row, index) => {
      const message = failed.get(index)
      if (message === undefined) this.#stored += 1
      if (overdue) this.#late += message === undefined ? 1 : 0
      else if (message === undefined) row.resolve()
      else row.reject(this.#lose(new LedgerError('store_failed', message)))
    })
  }

  #refuse(rows: readonly QueuedRow[], error: LedgerError): void {
    // A thread that died is being replaced: its rows are worth the time that takes.
    this.#failing = error.reason !== 'worker_crashed'
    for (const row of rows) row.reject(this.#lose(error))
  }

  #lose(error: LedgerError): LedgerError {
    this.#lost += 1
    return error
  }

  async #query(query: SqlQuery): Promise<readonly SqlRow[]> {
    if (this.#closing) throw new LedgerError('closed', 'the ledger is closed')
    const { queryTimeoutMs } = this.#parts
    const reader = await this.#openReader()
    const answer = reader.send({ kind: 'query', ...query })
    if (!(await settlesWithin(answer, queryTimeoutMs))) {
      throw new LedgerError('timeout', `the ledger did not answer within ${queryTimeoutMs} ms`)
    }
    const rows = await answer
    if (rows.kind !== 'rows') throw ledgerErrorOf(rows)
    return rows.rows
  }

  #openReader(): Promise<WorkerChannel> {
    this.#reader ??= this.#parts.openReader().catch((error: Error) => {
      // The next question tries again.
      this.#reader = undefined
      throw ledgerErrorOf(error)
    })
    return this.#reader
  }
}
