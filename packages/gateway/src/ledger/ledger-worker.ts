import type { MessagePort } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlDatabase } from './driver.ts'
import { isTaken, otherJournals, takeJournal } from './journal-files.ts'
import { JournalImport } from './journal-import.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import { openLedgerFile } from './ledger-file.ts'
import { SqlError } from './sql-error.ts'
import type {
  ImportReply,
  ImportRequest,
  JournalState,
  JournalToImport,
  QueryRequest,
  WorkerReply,
  WorkerRequest,
} from './worker-messages.ts'

// The thread that owns a connection to the store file: the event loop of the server never waits for SQLite.
if (parentPort !== null) await serve(parentPort, workerData as LedgerFileOptions)

/** Steps of an import that one request is answered after: a close that waits behind it does not wait long. */
const mostSteps = 2

async function serve(port: MessagePort, options: LedgerFileOptions): Promise<void> {
  const reply = (message: WorkerReply): void => port.postMessage(message)
  let database: SqlDatabase
  try {
    database = await openLedgerFile(options)
  } catch (error) {
    reply({ kind: 'refused', message: messageOf(error) })
    port.close()
    return
  }
  const journals = new JournalImport(database)
  if (options.role === 'writer') takeOver(journals, options)
  port.on('message', (request: WorkerRequest) => {
    if (request.kind === 'import') reply(importAll(request, options, journals))
    else if (request.kind === 'query') reply(answer(request, database))
    else {
      closeDatabase(database, options)
      reply({ kind: 'closed', id: request.id })
      port.close()
    }
  })
  reply({ kind: 'ready', ...journals.counts() })
}

/** Imports and deletes what other processes have left, or are writing (see `takeJournal`). */
function takeOver(journals: JournalImport, { file, opening }: LedgerFileOptions): void {
  try {
    for (const path of otherJournals(file, opening)) {
      skippingUnreadable(() => {
        const taken = takeJournal(path)
        if (taken !== undefined) journals.importOther(taken)
      })
    }
    journals.forgetMissing(file)
  } catch {
    // A store that is locked or full now does not keep a server from starting: the next question tries again.
  }
}

/** A journal that cannot be read, perhaps another user's, is in nobody's way; what the store says is thrown. */
function skippingUnreadable<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof SqlError) throw error
    return undefined
  }
}

function importAll(request: ImportRequest, options: LedgerFileOptions, journals: JournalImport): ImportReply {
  const states = new Map<string, JournalState>()
  const { id } = request
  const end = (more: boolean, failure?: ImportReply['failure']): ImportReply => {
    return { kind: 'imported', id, states: [...states.values()], more, failure, ...journals.counts() }
  }
  try {
    let steps = 0
    for (const { own, ...journal } of journalsOf(request, options)) {
      for (let more = true; more;) {
        if (steps === mostSteps) return end(true)
        const step = own ? journals.step(journal) : skippingUnreadable(() => journals.stepOfOther(journal))
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

function journalsOf(request: ImportRequest, options: LedgerFileOptions): (JournalToImport & { own: boolean })[] {
  const own = request.journals.map((journal) => ({ ...journal, own: true }))
  if (!request.others) return own
  const others = otherJournals(options.file, options.opening)
  return [...own, ...others.map((path) => ({ path, sealed: isTaken(path), own: false }))]
}

function answer(request: QueryRequest, database: SqlDatabase): WorkerReply {
  try {
    return { kind: 'rows', id: request.id, rows: database.prepare(request.sql).all(request.parameters) }
  } catch (error) {
    return { kind: 'failed', id: request.id, code: codeOf(error), message: messageOf(error) }
  }
}

function closeDatabase(database: SqlDatabase, options: LedgerFileOptions): void {
  try {
    // Leaves all rows in the one file, which can then be copied without its journal.
    if (options.role === 'writer') database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
  } catch {
    // Rows in the journal are as safe as in the file; the next start moves them.
  }
  database.close()
}

function codeOf(error: unknown): SqlError['code'] {
  return error instanceof SqlError ? error.code : 'other'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
