import { IncipitError } from '@incipit/core'
import { FileIdentity } from './file-identity.ts'
import { isTaken, otherJournals, takeJournal } from './journal-files.ts'
import { JournalImport } from './journal-import.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import { Maintenance } from './maintenance.ts'
import type { SqlConnection } from './sql-connection.ts'
import { SqlError } from './sql-error.ts'
import { GroupBook } from './summary/groups.ts'
import { readSummary } from './summary/read-summary.ts'
import type {
  ImportReply,
  ImportRequest,
  JournalState,
  JournalToImport,
  WorkerReply,
  WorkerRequest,
} from './worker-messages.ts'

/** Steps of an import that one request is answered after: a close that waits behind it does not wait long. */
const mostSteps = 2

/** What one thread does with its connection. */
export class Store {
  readonly journals: JournalImport
  readonly #connection: SqlConnection
  readonly #options: LedgerFileOptions
  readonly #maintenance: Maintenance
  readonly #groups = new GroupBook()
  readonly #file: FileIdentity | undefined

  constructor(connection: SqlConnection, options: LedgerFileOptions) {
    this.#connection = connection
    this.#options = options
    this.journals = new JournalImport(connection)
    this.#maintenance = new Maintenance(connection)
    this.#file = options.url === undefined ? new FileIdentity(options.file) : undefined
  }

  /** Never throws: what went wrong is an answer, too. */
  // oxlint-disable-next-line consistent-return -- every kind returns
  async answer(request: WorkerRequest): Promise<WorkerReply> {
    const { id } = request
    try {
      // Before a journal goes, its rows have to be where the next start finds them.
      if (request.kind === 'import' || request.kind === 'work') this.#file?.check()
      switch (request.kind) {
        case 'import':
          return await this.#import(request)
        case 'query':
          return { kind: 'rows', id, rows: await this.#connection.all(request.sql, request.parameters) }
        case 'summary':
          return { kind: 'summary', id, summary: await readSummary(this.#connection, request.query, this.#groups) }
        case 'work':
          return { kind: 'done', id, ...(await this.#maintenance.step(request.work)) }
        case 'close':
          await this.#close()
          return { kind: 'closed', id }
      }
    } catch (error) {
      if (IncipitError.is(error)) return { kind: 'invalid', id, message: error.message, param: error.param }
      return { kind: 'failed', id, code: codeOf(error), message: messageOf(error) }
    }
  }

  /** Imports and deletes what other processes have left, or are writing (see `takeJournal`). */
  async takeOver(): Promise<void> {
    const { file, opening } = this.#options
    try {
      for (const path of otherJournals(file, opening)) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await skippingUnreadable(async () => {
          const taken = takeJournal(path)
          if (taken !== undefined) await this.journals.importOther(taken)
        })
      }
      // A database knows journals of other machines as well.
      if (this.#connection.dialect.name === 'sqlite') await this.journals.forgetMissing(file)
    } catch {
      // A store that is locked or full now does not keep a server from starting: the next question tries again.
    }
  }

  async #import(request: ImportRequest): Promise<ImportReply> {
    const states = new Map<string, JournalState>()
    const { id } = request
    const end = (more: boolean, failure?: ImportReply['failure']): ImportReply => {
      return { kind: 'imported', id, states: [...states.values()], more, failure, ...this.journals.counts() }
    }
    try {
      let steps = 0
      for (const { own, ...journal } of this.#journalsOf(request)) {
        for (let more = true; more;) {
          if (steps === mostSteps) return end(true)
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const step = own
            ? await this.journals.step(journal)
            : await skippingUnreadable(() => this.journals.stepOfOther(journal))
          more = step?.more ?? false
          if (step?.moved === true) steps += 1
          if (own && step !== undefined) states.set(step.state.name, step.state)
        }
      }
      return end(false)
    } catch (error) {
      return end(false, { code: codeOf(error), message: messageOf(error) })
    }
  }

  #journalsOf(request: ImportRequest): (JournalToImport & { own: boolean })[] {
    const own = request.journals.map((journal) => ({ ...journal, own: true }))
    if (!request.others) return own
    const { file, opening } = this.#options
    const others = otherJournals(file, opening).flatMap((path) => {
      const found = request.take === true ? taken(path) : path
      return found === undefined ? [] : [{ path: found, sealed: isTaken(found), own: false }]
    })
    return [...own, ...others]
  }

  async #close(): Promise<void> {
    try {
      // Leaves all rows in the one file, which can then be copied without its journal.
      if (this.#options.role === 'writer') await this.#connection.scrub()
    } catch {
      // Rows in the journal are as safe as in the file; the next start moves them.
    }
    await this.#connection.close()
  }
}

/** A journal that cannot be taken, perhaps in a folder that cannot be written, is imported as it is. */
function taken(path: string): string | undefined {
  try {
    return takeJournal(path)
  } catch {
    return path
  }
}

/** A journal that cannot be read, perhaps another user's, is in nobody's way; what the store says is thrown. */
async function skippingUnreadable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SqlError) throw error
    return undefined
  }
}

function codeOf(error: unknown): SqlError['code'] {
  return error instanceof SqlError ? error.code : 'other'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
