import { closeSync, openSync, readSync, statSync, unlinkSync } from 'node:fs'
import type { SqlValue } from './driver.ts'
import { Erasures } from './erasures.ts'
import { eventColumns } from './event-row.ts'
import { allJournals, isMissing, journalName } from './journal-files.ts'
import { viewOf } from './row-view.ts'
import type { SqlConnection } from './sql-connection.ts'
import { rollUp } from './summary/rollups.ts'
import type { ImportCounts, JournalState, JournalToImport } from './worker-messages.ts'

/** Read, inserted and committed at once: some 2,000 rows, 30 ms. Others wait for the lock no longer than that. */
const stepBytes = 2 ** 20
const longestLineBytes = 256 * 2 ** 20
const mostRefusals = 10
const noCounts: ImportCounts = { recovered: 0, garbage: 0, refused: 0, refusals: [] }

/** How far a journal is imported, as the store has it. */
interface Position {
  readonly position: number
  readonly lines: number
  readonly stored: number
}

/** Where a journal stands after a step, whether that moved it, and whether there is more of it. */
export interface ImportStep {
  readonly state: JournalState
  readonly moved: boolean
  readonly more: boolean
}

interface Lines {
  readonly texts: readonly string[]
  readonly bytes: number
  /** There are no more whole lines behind them, for now. */
  readonly last: boolean
}

/**
 * Moves the lines of journals into the store. A step inserts rows and moves the position of their journal in one
 * transaction: whoever dies when, and however many import the same journal, each line is inserted once.
 */
export class JournalImport {
  readonly #connection: SqlConnection
  #counts: ImportCounts = noCounts

  constructor(connection: SqlConnection) {
    this.#connection = connection
  }

  /**
   * One step of one journal. Side effects: its rows are in the store; a sealed journal that is wholly there is
   * deleted.
   * @returns where it stands, and whether there is more
   * @throws SqlError when the store is locked or full: nothing has changed then
   */
  async step(journal: JournalToImport): Promise<ImportStep> {
    const name = journalName(journal.path)
    try {
      const before = await this.#positionOf(name)
      // Most often there is nothing to do, and then nobody's lock is in the way.
      const idle = statSync(journal.path).size <= before.position
      const { at, last } = idle ? { at: before, last: true } : await this.#commit(journal.path, name)
      const over = last && journal.sealed
      if (over) await this.#delete(journal.path, name)
      const moved = at.position > before.position
      return { state: { kind: over ? 'deleted' : 'imported', name, ...at }, moved, more: !last }
    } catch (error) {
      if (isMissing(error)) return { state: { kind: 'gone', name }, moved: false, more: false }
      throw error
    }
  }

  /** A step of a journal that another process began; gone ones have been imported by somebody else. */
  async stepOfOther(journal: JournalToImport): Promise<ImportStep> {
    const before = (await this.#positionOf(journalName(journal.path))).stored
    const step = await this.step(journal)
    if (step.state.kind !== 'gone') this.#count({ recovered: step.state.stored - before })
    return step
  }

  /** All of a journal that nobody appends to any more. */
  async importOther(path: string): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    for (let more = true; more;) more = (await this.stepOfOther({ path, sealed: true })).more
  }

  /** Forgets journals that are no more: left by a process that died between deleting one and forgetting it. */
  async forgetMissing(file: string): Promise<void> {
    // In this order: a journal begun meanwhile is in the folder, but not among the known.
    const known = await this.#connection.all('SELECT name FROM journals')
    const names = new Set(allJournals(file).map(journalName))
    const missing = known.map(({ name }) => String(name)).filter((name) => !names.has(name))
    // oxlint-disable-next-line no-await-in-loop -- one connection
    for (const name of missing) await this.#forget(name)
  }

  /** What was met since the last call. */
  counts(): ImportCounts {
    const counts = this.#counts
    this.#counts = noCounts
    return counts
  }

  #count({ recovered = 0, garbage = 0, refusals = [] }: Partial<ImportCounts>): void {
    const before = this.#counts
    this.#counts = {
      recovered: before.recovered + recovered,
      garbage: before.garbage + garbage,
      refused: before.refused + refusals.length,
      refusals: [...before.refusals, ...refusals].slice(0, mostRefusals),
    }
  }

  async #commit(path: string, name: string): Promise<{ at: Position; last: boolean }> {
    const { at, last, garbage, refusals } = await this.#connection.transaction(async () => {
      // Both are read under the lock of the store: another process may be importing the same journal.
      const before = await this.#positionOf(name)
      const lines = readLines(path, before.position)
      const taken = await this.#insertAll(lines.texts)
      const at = {
        position: before.position + lines.bytes,
        lines: before.lines + lines.texts.length,
        stored: before.stored + taken.stored,
      }
      if (lines.bytes > 0) await this.#move(name, at)
      return { at, last: lines.last, ...taken }
    })
    // Counted after the commit: what is rolled back comes again.
    this.#count({ garbage, refusals })
    return { at, last }
  }

  /** What was erased, and is in a journal still, is as good as stored. */
  async #insertAll(
    texts: readonly string[],
  ): Promise<{ stored: number; garbage: number; refusals: readonly string[] }> {
    const rows = texts.map(valuesOf).filter((values) => values !== undefined)
    const garbage = texts.length - rows.length
    const erasures = await Erasures.read(this.#connection)
    const kept = erasures.none ? rows : rows.filter((row) => !erasures.has(viewOf(row)))
    const { added, refusals } = await this.#connection.insertEvents(kept)
    await rollUp(this.#connection, added.map(viewOf), 1)
    return { stored: texts.length - garbage - refusals.length, garbage, refusals }
  }

  async #positionOf(name: string): Promise<Position> {
    const sql = 'SELECT position, lines, stored FROM journals WHERE name = ?'
    const [row] = await this.#connection.all(sql, [name])
    const number = (column: keyof Position): number => Number(row?.[column] ?? 0)
    return { position: number('position'), lines: number('lines'), stored: number('stored') }
  }

  async #move(name: string, { position, lines, stored }: Position): Promise<void> {
    await this.#connection.run(
      `INSERT INTO journals (name, position, lines, stored) VALUES (?, ?, ?, ?) ON CONFLICT (name)
       DO UPDATE SET position = excluded.position, lines = excluded.lines, stored = excluded.stored`,
      [name, position, lines, stored],
    )
  }

  /** In this order: a journal without a position would be imported again from its beginning. */
  async #delete(path: string, name: string): Promise<void> {
    unlinkSync(path)
    await this.#forget(name)
  }

  async #forget(name: string): Promise<void> {
    await this.#connection.run('DELETE FROM journals WHERE name = ?', [name])
  }
}

/** Whole lines from `position` on; what follows the last line feed is being written, or was never reported. */
function readLines(path: string, position: number): Lines {
  const fd = openSync(path, 'r')
  try {
    for (let size = stepBytes; ; size *= 2) {
      const bytes = Buffer.allocUnsafe(size)
      const read = readFully(fd, bytes, position)
      const end = bytes.subarray(0, read).lastIndexOf(lineFeed) + 1
      const last = read < size
      if (end === 0 && !last && size < longestLineBytes) continue
      const texts = end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n')
      return { texts, bytes: end, last: last || end === 0 }
    }
  } finally {
    closeSync(fd)
  }
}

const lineFeed = 0x0a

function readFully(fd: number, bytes: Buffer, position: number): number {
  let read = 0
  while (read < bytes.length) {
    const more = readSync(fd, bytes, read, bytes.length - read, position + read)
    if (more === 0) break
    read += more
  }
  return read
}

/** The values that `toRow` made; a build with fewer columns may have written them, and those are the last. */
function valuesOf(line: string): SqlValue[] | undefined {
  try {
    const values: unknown = JSON.parse(line)
    if (!Array.isArray(values) || values.length > eventColumns.length) return undefined
    while (values.length < eventColumns.length) values.push(null)
    return values as SqlValue[] // what cannot be bound is refused there
  } catch {
    return undefined
  }
}
