import { Worker } from 'node:worker_threads'
import type { EpochMs, RequestId } from '@incipit/core'
import { compiledEntry, orgId } from '@incipit/core'
import type { SqlDriverName, SqlRow } from './driver.ts'
import { findQuery, pageQuery, prefixesQuery, storedAnswerQuery, toPage, toPrefixes } from './event-queries.ts'
import type { SqlQuery } from './event-queries.ts'
import { fromRow, toRow } from './event-row.ts'
import { Importer } from './importer.ts'
import type { JournalDisk } from './journal-disk.ts'
import { Journal } from './journal.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import type { Retention } from './keeper.ts'
import { forGood, Keeper } from './keeper.ts'
import type { LedgerErrorReason } from './ledger-error.ts'
import { LedgerError } from './ledger-error.ts'
import type {
  ErasureFilter,
  EventFilter,
  EventPage,
  Ledger,
  LedgerEvent,
  LedgerTotals,
  PrefixTotals,
  StoredAnswer,
  Summary,
  SummaryQuery,
} from './port.ts'
import { postgresDialect, sqliteDialect } from './sql-dialects.ts'
import { settlesWithin } from './settles-within.ts'
import { errorOfAnswer, ledgerErrorOf } from './store-failure.ts'
import type { Answer, Unnumbered } from './worker-channel.ts'
import { unpackSummary } from './summary/packed-summary.ts'
import { WorkerChannel } from './worker-channel.ts'
import type { ImportCounts } from './worker-messages.ts'

/** How a SQLite ledger is opened. */
export interface SqliteLedgerOptions {
  /** Path of the store file; its folder exists. Created with mode 0600 when missing, as are the journals beside it. */
  readonly file: string
  /** PostgreSQL instead of the file: `postgres://user:password@host/database`. Journals stand at `file` still. */
  readonly url?: string | undefined
  /** How long `record` waits for a slow disk; default 1000. After one failure, a tenth until the disk answers again. */
  readonly recordTimeoutMs?: number | undefined
  /** How long a question may take; default 30,000. */
  readonly queryTimeoutMs?: number | undefined
  /** Rows that wait for their write at most; default 10,000. */
  readonly maxQueued?: number | undefined
  /** Bytes of rows that wait in journals for the store at most; default 1 GiB. Beyond it rows are refused. */
  readonly maxUnimportedBytes?: number | undefined
  /** A journal that has grown to this is followed by a new one; default 8 MiB. */
  readonly rotateBytes?: number | undefined
  /** How long rows wait in a journal for company at most; default 1000. Questions do not wait for it. */
  readonly importDelayMs?: number | undefined
  /** The store file never grows past this many bytes: rows stay in journals then as on a full disk. Default: no bound. */
  readonly maxBytes?: number | undefined
  /** The store refused rows that were recorded: they are counted as lost. */
  readonly onRefused?: ((refused: RefusedRows) => void) | undefined
  /** Default: the best of this Node. */
  readonly driver?: SqlDriverName | undefined
  /** How long single events and sums are kept; default: for good. */
  readonly retention?: Retention | undefined
  /** What time it is, for retention and erasing; default: the machine's clock. */
  readonly now?: (() => number) | undefined
  /** The store stopped taking rows, which wait in journals then, or takes them again. */
  readonly onState?: ((state: StoreStateChange) => void) | undefined
  /** Starts a worker thread; for tests that break it. */
  readonly spawn?: ((entry: URL, data: LedgerFileOptions) => Worker) | undefined
  /** Writes journals; for tests of a slow or full disk. */
  readonly disk?: JournalDisk | undefined
}

/** Rows that the schema of the store does not take. */
export interface RefusedRows {
  readonly rows: number
  /** Why, for the first few. */
  readonly messages: readonly string[]
}

/** Whether the store takes rows, and if not, why. */
export type StoreStateChange =
  | { readonly kind: 'failing'; readonly reason: LedgerErrorReason; readonly message: string }
  | { readonly kind: 'working' }

/** What happened to rows since the start. */
export interface LedgerCounters {
  /** Rows of this process that are in the store. */
  readonly stored: number
  /** Rows whose `record` was rejected, and rows that the store refused afterwards. */
  readonly lost: number
  /** Of those, rows that were written nevertheless, after their time. Missing for good: `lost - late`. */
  readonly late: number
  /** Rows that wait for their write now. */
  readonly queued: number
  /** Rows, and their bytes, that are recorded and wait in journals for the store. */
  readonly unimported: number
  readonly unimportedBytes: number
  /** Rows that other processes recorded and this one put into the store. */
  readonly recovered: number
  /** Lines of journals that were no rows. */
  readonly garbage: number
  /** Worker threads that died and were replaced. */
  readonly restarts: number
  /** Events that were deleted because of their age, and on demand. */
  readonly pruned: number
  readonly erased: number
  /** The store did not take rows when it was last tried. */
  readonly failing: boolean
}

/** The embedded ledger, with its counters for metrics. */
export interface SqliteLedger extends Ledger {
  /** @throws LedgerError within `recordTimeoutMs`, counted in `counters.lost` */
  record(event: LedgerEvent): Promise<void>
  readonly counters: LedgerCounters
  /** How long events are kept from now on. */
  keep(retention: Retention): void
}

/**
 * Opens the ledger in one SQLite file, with a journal before it (`Journal`): recording is one write a tick, and needs
 * nothing of the store. Two worker threads have the file: one moves rows from the journals into it, and one, started
 * at the first question, reads, so that a long question delays nothing. A slow, locked or full store is not noticed
 * by `record`; a slow or full disk rejects it in bounded time. Rows that a process left in its journal when it was
 * killed are in the store when this resolves.
 *
 * Close it before `process.exit`: ending a thread within libsql can abort the process.
 *
 * @throws Error naming the file when it is damaged, another program's, or of a newer schema
 * @example const ledger = await openSqliteLedger({ file: join(dataDir, 'incipit.db') })
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<SqliteLedger> {
  const recordTimeoutMs = options.recordTimeoutMs ?? 1_000
  const queryTimeoutMs = options.queryTimeoutMs ?? 30_000
  const spawn = options.spawn ?? startWorker
  let noticed = (): void => undefined
  const journal = new Journal({
    file: options.file,
    recordTimeoutMs,
    maxQueued: options.maxQueued ?? 10_000,
    maxUnimportedBytes: options.maxUnimportedBytes ?? 2 ** 30,
    rotateBytes: options.rotateBytes ?? 8 * 2 ** 20,
    disk: options.disk,
    onWritten: () => noticed(),
  })
  const counts = new Counts(options.onRefused)
  const channelOf = (role: LedgerFileOptions['role']): Promise<WorkerChannel> => {
    const entry = compiledEntry(import.meta.url, './ledger-worker.js')
    // SQLite gives up on a lock before the caller does, so that the reason is known.
    const busyMs = Math.ceil(recordTimeoutMs / 2)
    const { file, url, driver, maxBytes } = options
    const data = { file, url, driver, busyMs, maxBytes, role, queryTimeoutMs, opening: journal.opening }
    return WorkerChannel.open(() => spawn(entry, data), counts.add)
  }
  const writer = await channelOf('writer')
  const importer = new Importer({
    journal,
    writer,
    delayMs: options.importDelayMs ?? 1_000,
    onCounts: counts.add,
    onState: (failure) => options.onState?.(stateOf(failure)),
  })
  const keeper = new Keeper({ writer, now: options.now ?? Date.now, retention: options.retention ?? forGood })
  noticed = () => importer.noticed()
  const openReader = (): Promise<WorkerChannel> => channelOf('reader')
  const { isStoredAnswer } = options.url === undefined ? sqliteDialect : postgresDialect
  const parts = {
    journal,
    importer,
    counts,
    writer,
    keeper,
    openReader,
    isStoredAnswer,
    recordTimeoutMs,
    queryTimeoutMs,
  }
  return new JournaledLedger(parts)
}

/**
 * Starts the thread of the ledger. Without the flags of this process: under `--conditions=source` (tests)
 * the compiled entry would resolve its packages to sources, which threads cannot run on every Node.
 */
export function startWorker(entry: URL, workerData: LedgerFileOptions): Worker {
  return new Worker(entry, { workerData, execArgv: [] })
}

/** Adds up what imports meet. */
class Counts {
  readonly #onRefused: SqliteLedgerOptions['onRefused']
  recovered = 0
  garbage = 0

  constructor(onRefused: SqliteLedgerOptions['onRefused']) {
    this.#onRefused = onRefused
  }

  readonly add = ({ recovered, garbage, refused, refusals }: ImportCounts): void => {
    this.recovered += recovered
    this.garbage += garbage
    if (refused > 0) this.#onRefused?.({ rows: refused, messages: refusals })
  }
}

interface JournaledLedgerParts {
  readonly journal: Journal
  readonly importer: Importer
  readonly counts: Counts
  readonly writer: WorkerChannel
  readonly keeper: Keeper
  readonly openReader: () => Promise<WorkerChannel>
  readonly isStoredAnswer: string
  readonly recordTimeoutMs: number
  readonly queryTimeoutMs: number
}

class JournaledLedger implements SqliteLedger {
  readonly #parts: JournaledLedgerParts
  readonly #readers = new Map<Reader, Promise<WorkerChannel>>()
  #closing: Promise<void> | undefined

  constructor(parts: JournaledLedgerParts) {
    this.#parts = parts
  }

  get counters(): LedgerCounters {
    const { journal, counts, writer, keeper, importer } = this.#parts
    const { recovered, garbage } = counts
    const { pruned, erased } = keeper
    const { failing } = importer
    return { ...journal.counters, recovered, garbage, restarts: writer.restarts, pruned, erased, failing }
  }

  record(event: LedgerEvent): Promise<void> {
    return this.#parts.journal.record(JSON.stringify(toRow(event)))
  }

  async events(filter: EventFilter, page: { limit: number; cursor?: string | undefined }): Promise<EventPage> {
    return toPage(await this.#query(pageQuery(filter, page)), page.limit)
  }

  async find(id: RequestId): Promise<LedgerEvent | undefined> {
    const [row] = await this.#query(findQuery(id))
    return row === undefined ? undefined : fromRow(row)
  }

  async findStoredAnswer(answerId: string): Promise<StoredAnswer | undefined> {
    if (!answerId.startsWith('resp_')) return undefined
    const [row] = await this.#query(storedAnswerQuery(answerId, this.#parts.isStoredAnswer))
    if (row === undefined) return undefined
    return { org: orgId(String(row['org'])), upstream: row['upstream'] === null ? undefined : String(row['upstream']) }
  }

  async totals(filter: EventFilter): Promise<LedgerTotals> {
    const { rows } = await this.summary({ filter, groupBy: [], interval: 'none', timeZone: 'UTC', limit: 1 })
    const totals = rows[0]?.totals
    return {
      requests: totals?.requests ?? 0,
      warmRequests: totals?.warmRequests ?? 0,
      failedRequests: totals?.failedRequests ?? 0,
      inputTokens: totals?.inputTokens ?? 0,
      cachedInputTokens: totals?.cachedInputTokens ?? 0,
      outputTokens: totals?.outputTokens ?? 0,
      unreportedRequests: totals?.unreportedRequests ?? 0,
    }
  }

  async summary(query: SummaryQuery): Promise<Summary> {
    const answer = await this.#ask({ kind: 'summary', query }, 'summary')
    if (answer.kind !== 'summary') throw errorOfAnswer(answer)
    return unpackSummary(answer.summary, query.groupBy)
  }

  async prefixes(filter: EventFilter, limit: number): Promise<readonly PrefixTotals[]> {
    return toPrefixes(await this.#query(prefixesQuery(filter, limit), 'summary'))
  }

  async prune(before: EpochMs): Promise<number> {
    await this.#catchUp()
    return this.#parts.keeper.prune(before)
  }

  async erase(what: ErasureFilter): Promise<number> {
    if (what.org === undefined && what.session === undefined) throw new RangeError('name an org or a session to erase')
    const { journal, importer, keeper } = this.#parts
    // Journals hold what is erased as well: they go, and what of them is out of reach now is not imported later.
    await journal.renew()
    if (!(await importer.importAll({ take: true }))) {
      throw new LedgerError('store_failed', 'nothing was erased: what is recorded could not be brought into the store')
    }
    return keeper.erase(what)
  }

  keep(retention: Retention): void {
    this.#parts.keeper.keep(retention)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { journal, importer, keeper, writer, recordTimeoutMs } = this.#parts
    await journal.close()
    // What does not get into the store now is imported by the next start.
    await settlesWithin(importer.importAll(), recordTimeoutMs)
    importer.close()
    keeper.close()
    const readers = await Promise.allSettled(this.#readers.values())
    await Promise.all(
      readers.map(async (reader) => {
        if (reader.status === 'fulfilled') await reader.value.close(recordTimeoutMs)
      }),
    )
    await writer.close(recordTimeoutMs)
  }

  async #query(query: SqlQuery, who: Reader = 'page'): Promise<readonly SqlRow[]> {
    const answer = await this.#ask({ kind: 'query', ...query }, who)
    if (answer.kind !== 'rows') throw errorOfAnswer(answer)
    return answer.rows
  }

  async #ask(question: Unnumbered, who: Reader): Promise<Answer> {
    if (this.#closing !== undefined) throw new LedgerError('closed', 'the ledger is closed')
    const { queryTimeoutMs } = this.#parts
    const begun = performance.now()
    await this.#catchUp()
    const reader = await this.#openReader(who)
    const answer = reader.send(question)
    if (!(await settlesWithin(answer, Math.max(0, queryTimeoutMs - (performance.now() - begun))))) {
      throw new LedgerError('timeout', `the ledger did not answer within ${queryTimeoutMs} ms`)
    }
    return answer
  }

  /**
   * Brings every row that was recorded before into the store. One that is locked or full is asked as it is, after
   * two attempts, and while it stays so after a short wait: an old answer is worth more than none.
   */
  async #catchUp(): Promise<void> {
    const { importer, recordTimeoutMs, queryTimeoutMs } = this.#parts
    const wasFailing = importer.failing
    const first = importer.importAll()
    if (wasFailing && !(await settlesWithin(first, recordTimeoutMs / 10)) && importer.failing) return
    // The second is for a thread that died within the first.
    const attempts = first.then((complete) => complete || wasFailing || importer.importAll())
    await settlesWithin(attempts, queryTimeoutMs / 2)
  }

  #openReader(who: Reader): Promise<WorkerChannel> {
    const reader =
      this.#readers.get(who) ??
      this.#parts.openReader().catch((error: Error) => {
        // The next question tries again.
        this.#readers.delete(who)
        throw ledgerErrorOf(error)
      })
    this.#readers.set(who, reader)
    return reader
  }
}

/** Threads that read: one for pages and single events, one for sums, so that a page waits for no sum. */
type Reader = 'page' | 'summary'

function stateOf(failure: LedgerError | undefined): StoreStateChange {
  if (failure === undefined) return { kind: 'working' }
  return { kind: 'failing', reason: failure.reason, message: failure.message }
}
