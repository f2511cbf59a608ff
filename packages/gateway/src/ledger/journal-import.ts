import { closeSync, openSync, readSync, statSync, unlinkSync } from 'node:fs'
import type { SqlDatabase, SqlStatement, SqlValue } from './driver.ts'
import { insertEvent } from './event-queries.ts'
import { eventColumns } from './event-row.ts'
import { allJournals, isMissing, journalName } from './journal-files.ts'
import { SqlError } from './sql-error.ts'
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
  readonly #database: SqlDatabase
  readonly #insert: SqlStatement
  readonly #find: SqlStatement
  readonly #move: SqlStatement
  readonly #forget: SqlStatement
  #counts: ImportCounts = noCounts

  constructor(database: SqlDatabase) {
    this.#database = database
    this.#insert = database.prepare(insertEvent)
    this.#find = database.prepare('SELECT position, lines, stored FROM journals WHERE name = ? LIMIT 1')
    this.#move = database.prepare(
      `INSERT INTO journals (name, position, lines, stored) VALUES (?, ?, ?, ?) ON CONFLICT (name)
       DO UPDATE SET position = excluded.position, lines = excluded.lines, stored = excluded.stored`,
    )
    this.#forget = database.prepare('DELETE FROM journals WHERE name = ?')
  }

  /**
   * One step of one journal. Side effects: its rows are in the store; a sealed journal that is wholly there is
   * deleted.
   * @returns where it stands, and whether there is more
   * @throws SqlError when the store is locked or full: nothing has changed then
   */
  step(journal: JournalToImport): ImportStep {
    const name = journalName(journal.path)
    try {
      const before = this.#positionOf(name)
      // Most often there is nothing to do, and then nobody's lock is in the way.
      const idle = statSync(journal.path).size <= before.position
      const { at, last } = idle ? { at: before, last: true } : this.#commit(journal.path, name)
      const over = last && journal.sealed
      if (over) this.#delete(journal.path, name)
      const moved = at.position > before.position
      return { state: { kind: over ? 'deleted' : 'imported', name, ...at }, moved, more: !last }
    } catch (error) {
      if (isMissing(error)) return { state: { kind: 'gone', name }, moved: false, more: false }
      throw error
    }
  }

  /** A step of a journal that another process began; gone ones have been imported by somebody else. */
  stepOfOther(journal: JournalToImport): ImportStep {
    const before = this.#positionOf(journalName(journal.path)).stored
    const step = this.step(journal)
    if (step.state.kind !== 'gone') this.#count({ recovered: step.state.stored - before })
    return step
  }

  /** All of a journal that nobody appends to any more. */
  importOther(path: string): void {
    for (let more = true; more;) more = this.stepOfOther({ path, sealed: true }).more
  }

  /** Forgets journals that are no more: left by a process that died between deleting one and forgetting it. */
  forgetMissing(file: string): void {
    // In this order: a journal begun meanwhile is in the folder, but not among the known.
    const known = this.#database.prepare('SELECT name FROM journals').all()
    const names = new Set(allJournals(file).map(journalName))
    for (const { name } of known) if (!names.has(String(name))) this.#forget.run([String(name)])
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

  #commit(path: string, name: string): { at: Position; last: boolean } {
    const { at, last, garbage, refusals } = this.#database.transaction(() => {
      // Both are read under the lock of the store: another process may be importing the same journal.
      const before = this.#positionOf(name)
      const lines = readLines(path, before.position)
      const taken = this.#insertAll(lines.texts)
      const at = {
        position: before.position + lines.bytes,
        lines: before.lines + lines.texts.length,
        stored: before.stored + taken.stored,
      }
      if (lines.bytes > 0) this.#move.run([name, at.position, at.lines, at.stored])
      return { at, last: lines.last, ...taken }
    })
    // Counted after the commit: what is rolled back comes again.
    this.#count({ garbage, refusals })
    return { at, last }
  }

  #insertAll(texts: readonly string[]): { stored: number; garbage: number; refusals: string[] } {
    let garbage = 0
    const refusals: string[] = []
    for (const text of texts) {
      const values = valuesOf(text)
      if (values === undefined) garbage += 1
      else {
        const refusal = this.#refusalOf(values)
        if (refusal !== undefined) refusals.push(refusal)
      }
    }
    return { stored: texts.length - garbage - refusals.length, garbage, refusals }
  }

  /** A value or the schema refuses one row: only that statement is undone. Anything else ends the transaction. */
  #refusalOf(values: readonly SqlValue[]): string | undefined {
    try {
      this.#insert.run(values)
      return undefined
    } catch (error) {
      if (error instanceof SqlError && !codesOfRows.has(error.code)) throw error
      return error instanceof Error ? error.message : String(error)
    }
  }

  #positionOf(name: string): Position {
    const row = this.#find.get([name])
    const number = (column: keyof Position): number => Number(row?.[column] ?? 0)
    return { position: number('position'), lines: number('lines'), stored: number('stored') }
  }

  /** In this order: a journal without a position would be imported again from its beginning. */
  #delete(path: string, name: string): void {
    unlinkSync(path)
    this.#forget.run([name])
  }
}

const codesOfRows = new Set(['constraint', 'mismatch', 'too_big'])

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
