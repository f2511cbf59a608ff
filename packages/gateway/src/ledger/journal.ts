import { closeSync, constants, existsSync, ftruncateSync, openSync } from 'node:fs'
import type { JournalDisk } from './journal-disk.ts'
import { countLines, fileDisk, reasonOf } from './journal-disk.ts'
import { journalName, journalPath, newOpening } from './journal-files.ts'
import { LedgerError } from './ledger-error.ts'
import { Pace } from './pace.ts'
import { RowBatch } from './row-batch.ts'
import { settlesWithin } from './settles-within.ts'
import type { JournalState, JournalToImport } from './worker-messages.ts'

/** What a journal is begun with. */
export interface JournalOptions {
  /** The store file; journals stand beside it. */
  readonly file: string
  readonly recordTimeoutMs: number
  /** Rows that wait for their write at most. */
  readonly maxQueued: number
  /** Bytes that are not in the store yet at most. */
  readonly maxUnimportedBytes: number
  /** A file that has grown to this is followed by a new one. */
  readonly rotateBytes: number
  readonly disk: JournalDisk | undefined
  /** Rows have been written that are not in the store yet. */
  readonly onWritten: () => void
}

/** One file: written up to `bytes`, in the store up to `position`. */
interface Segment {
  readonly path: string
  readonly fd: number
  bytes: number
  lines: number
  /** Lines that are in the store or were refused by it, and how far they reach. */
  imported: { position: number; lines: number; stored: number }
}

const nothing = { position: 0, lines: 0, stored: 0 }

/**
 * The rows of one process on their way to the store: files to which each tick appends its rows in one write. Bytes
 * that `write` has taken survive the death of the process, so `record` needs no answer from the store. The files
 * are read, and deleted, by the thread of the store.
 *
 * Writes block the event loop for some microseconds; where a disk is slow they are done in the background
 * (`Pace`), and `record` waits for them at most `recordTimeoutMs`.
 */
export class Journal {
  /** Part of the names of its files. */
  readonly opening: string = newOpening()
  readonly #options: JournalOptions
  readonly #disk: JournalDisk
  readonly #pace = new Pace()
  /** Files that are not wholly in the store; the one being written to is `#current`. */
  readonly #segments = new Map<string, Segment>()
  #current: Segment | undefined
  #begun = 0
  #gathering: RowBatch | undefined
  /** The write under way; rows that come meanwhile go with the next one. */
  #writing: Promise<void> | undefined
  #queued = 0
  #lost = 0
  #late = 0
  #stored = 0
  #lines = 0
  #bytes = 0
  /** The last write was overdue: until one succeeds nobody waits long. */
  #failing = false
  #closed = false

  constructor(options: JournalOptions) {
    this.#options = options
    this.#disk = options.disk ?? fileDisk
  }

  /** What `LedgerCounters` says of rows. */
  get counters(): {
    stored: number
    lost: number
    late: number
    queued: number
    unimported: number
    unimportedBytes: number
  } {
    return {
      stored: this.#stored,
      lost: this.#lost,
      late: this.#late,
      queued: this.#queued,
      unimported: Math.max(0, this.#lines),
      unimportedBytes: this.unimportedBytes,
    }
  }

  get unimportedBytes(): number {
    // What is written in the background may be imported before we are told that it is written.
    return Math.max(0, this.#bytes)
  }

  /** Resolves once this line is written; lines of one tick are one write and share its fate. */
  record(line: string): Promise<void> {
    const refused = this.#refusal()
    if (refused !== undefined) {
      this.#lost += 1
      return Promise.reject(refused)
    }
    this.#queued += 1
    const batch = (this.#gathering ??= this.#gather())
    batch.add(line)
    return batch.settled
  }

  /** The files whose rows are not all in the store, oldest first. */
  unimported(): JournalToImport[] {
    return [...this.#segments.values()]
      .filter((segment) => segment !== this.#current || segment.imported.position < segment.bytes)
      .map((segment) => ({ path: segment.path, sealed: segment !== this.#current }))
  }

  /** What is written from now on goes to another file, so that this one is deleted once it is in the store. */
  async renew(): Promise<void> {
    // Lines that gather now were not recorded before this call.
    await this.#writing?.catch(() => undefined)
    if ((this.#current?.bytes ?? 0) > 0) this.#seal()
  }

  /** What the thread of the store says of the files it was asked to import. */
  imported(states: readonly JournalState[]): void {
    for (const state of states) {
      const segment = this.#segments.get(state.name)
      if (segment === undefined) continue
      // Without its file, somebody else has taken it, and with it the rows: they are as good as stored.
      this.#account(segment, state.kind === 'gone' ? wholeOf(segment) : state)
      if (state.kind !== 'imported' && segment !== this.#current) this.#segments.delete(state.name)
    }
  }

  /** Writes what waits, and ends the file. What cannot be written within the time allowed is lost. */
  async close(): Promise<void> {
    this.#closed = true
    const { recordTimeoutMs } = this.#options
    if (this.#writing === undefined) this.#flush()
    while (this.#writing !== undefined) {
      // oxlint-disable-next-line no-await-in-loop -- the write under way, then the one that gathered meanwhile
      if (!(await settlesWithin(this.#writing, recordTimeoutMs))) return
    }
    this.#seal()
  }

  #refusal(): LedgerError | undefined {
    if (this.#closed) return new LedgerError('closed', 'the ledger is closed')
    const { maxQueued, maxUnimportedBytes } = this.#options
    if (this.#queued >= maxQueued) {
      return new LedgerError('queue_full', `${this.#queued} rows wait for the ledger, ${maxQueued} allowed`)
    }
    if (this.#bytes < maxUnimportedBytes) return undefined
    const message = `${this.#bytes} bytes wait for the store of the ledger, ${maxUnimportedBytes} allowed`
    return new LedgerError('queue_full', message)
  }

  #gather(): RowBatch {
    const batch = new RowBatch()
    if (this.#writing === undefined) setImmediate(() => this.#flush())
    // A write that blocks is over before anybody could be told that it takes long.
    if (this.#writing !== undefined || this.#pace.patient) {
      const { recordTimeoutMs } = this.#options
      const allowedMs = this.#failing ? recordTimeoutMs / 10 : recordTimeoutMs
      batch.expectWithin(allowedMs, () => {
        this.#failing = true
        this.#lost += batch.rows
        return new LedgerError('timeout', `the journal of the ledger was not written within ${allowedMs} ms`)
      })
    }
    return batch
  }

  #flush(): void {
    const batch = this.#gathering
    if (batch === undefined || this.#writing !== undefined) return
    this.#gathering = undefined
    this.#writing = this.#write(batch).finally(() => {
      this.#writing = undefined
      if (this.#closed) this.#flush()
      else if (this.#gathering !== undefined) setImmediate(() => this.#flush())
    })
  }

  /** Side effect: settles the batch. Without a slow disk all of it happens before the first `await` is reached. */
  async #write(batch: RowBatch): Promise<void> {
    try {
      const lines = Buffer.from(batch.text)
      for (let tries = 1; !(await this.#append(lines, batch)); tries++) {
        if (tries === mostTries) throw new Error(`${tries} journals of the ledger were taken away while written`)
      }
      this.#failing = false
      if (batch.overdue) this.#late += batch.rows
      batch.resolve()
      if ((this.#current?.bytes ?? 0) >= this.#options.rotateBytes) this.#rotate()
    } catch (error) {
      if (!batch.overdue) this.#lost += batch.rows
      batch.reject(reasonOf(error))
    } finally {
      this.#queued -= batch.rows
      if (this.#bytes > 0) this.#options.onWritten()
    }
  }

  /**
   * Appends whole lines, to a file that still has its name afterwards. False when it has not: another process has
   * taken it (see `takeJournal`), perhaps before these lines were in it, so they belong into another file.
   * @throws Error of the file system; lines that were written whole before it stay, and are counted as late
   */
  async #append(lines: Buffer, batch: RowBatch): Promise<boolean> {
    const segment = (this.#current ??= this.#begin())
    const { patient } = this.#pace
    const begun = performance.now()
    let written = 0
    try {
      while (written < lines.length) {
        const rest = lines.subarray(written)
        // oxlint-disable-next-line no-await-in-loop -- the rest of a write that was cut short
        const more = patient ? await this.#disk.write(segment.fd, rest) : this.#disk.writeSync(segment.fd, rest)
        if (more === 0) throw new Error('the file system took none of the bytes')
        written += more
      }
    } catch (error) {
      this.#late += this.#keepWholeLines(segment, lines.subarray(0, written))
      throw error
    } finally {
      this.#pace.took(performance.now() - begun, patient ? 'background' : 'blocking')
    }
    if (existsSync(segment.path)) {
      this.#grow(segment, lines.length, batch.rows)
      return true
    }
    this.#account(segment, wholeOf(segment))
    this.#segments.delete(journalName(segment.path))
    this.#seal()
    return false
  }

  /** After a write that failed within a line: that line leaves no trace, those before it stay, for they may be imported. */
  #keepWholeLines(segment: Segment, written: Buffer): number {
    const whole = written.lastIndexOf(lineFeed) + 1
    const lines = countLines(written)
    this.#grow(segment, whole, lines)
    if (whole === written.length) return lines
    try {
      ftruncateSync(segment.fd, segment.bytes)
    } catch {
      // Half a line at the end of a file harms nobody, and nothing comes after it.
      this.#seal()
    }
    return lines
  }

  #begin(): Segment {
    const path = journalPath(this.#options.file, this.opening, ++this.#begun)
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL
    const segment = { path, fd: openSync(path, flags, 0o600), bytes: 0, lines: 0, imported: nothing }
    this.#segments.set(journalName(path), segment)
    return segment
  }

  /** Without a new file, the old one is as good. */
  #rotate(): void {
    try {
      const next = this.#begin()
      this.#seal()
      this.#current = next
    } catch {
      // No room, or no file descriptor: after the next write it is tried again.
    }
  }

  /** Nothing more is written to the current file: once it is in the store it goes. */
  #seal(): void {
    const segment = this.#current
    this.#current = undefined
    try {
      if (segment !== undefined) closeSync(segment.fd)
    } catch {
      // Its rows were taken by `write` before, and they were reported then.
    }
  }

  #grow(segment: Segment, bytes: number, lines: number): void {
    segment.bytes += bytes
    segment.lines += lines
    this.#bytes += bytes
    this.#lines += lines
  }

  #account(segment: Segment, state: Segment['imported']): void {
    const { position, lines, stored } = segment.imported
    this.#bytes -= state.position - position
    this.#lines -= state.lines - lines
    this.#stored += state.stored - stored
    this.#lost += state.lines - lines - (state.stored - stored)
    segment.imported = { position: state.position, lines: state.lines, stored: state.stored }
  }
}

const lineFeed = 0x0a
const mostTries = 5

function wholeOf({ bytes, lines, imported }: Segment): Segment['imported'] {
  return { position: bytes, lines, stored: imported.stored + lines - imported.lines }
}
