import type { MessagePort } from 'node:worker_threads'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { SqlDatabase, SqlStatement } from './driver.ts'
import { insertEvent } from './event-queries.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import { openLedgerFile } from './ledger-file.ts'
import { SqlError } from './sql-error.ts'
import type { FailedRow, RecordRequest, WorkerReply, WorkerRequest } from './worker-messages.ts'

// The thread that owns a connection to the store file: the event loop of the server never waits for SQLite.
if (parentPort !== null) await serve(parentPort, workerData as LedgerFileOptions)

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
  const insert = options.role === 'writer' ? database.prepare(insertEvent) : undefined
  port.on('message', (first: WorkerRequest) => {
    for (const group of groups(drain(port, first))) {
      if (group.kind === 'record') recordAll(group.requests, { database, insert, reply })
      else if (group.kind === 'query') answer(group, database, reply)
      else {
        closeDatabase(database, options)
        reply({ kind: 'closed', id: group.id })
        port.close()
      }
    }
  })
  reply({ kind: 'ready' })
}

interface Writer {
  readonly database: SqlDatabase
  readonly insert: SqlStatement | undefined
  readonly reply: (message: WorkerReply) => void
}

/** Everything that waits: what gathered while the store was slow is committed at once. */
function drain(port: MessagePort, first: WorkerRequest): WorkerRequest[] {
  const requests = [first]
  for (;;) {
    const next = receiveMessageOnPort(port)
    if (next === undefined) return requests
    requests.push(next.message as WorkerRequest)
  }
}

type Group = { readonly kind: 'record'; readonly requests: RecordRequest[] } | Exclude<WorkerRequest, RecordRequest>

/** Neighbouring records together; the order of everything stays. */
function groups(requests: readonly WorkerRequest[]): Group[] {
  const found: Group[] = []
  for (const request of requests) {
    const last = found.at(-1)
    if (request.kind !== 'record') found.push(request)
    else if (last?.kind === 'record' && 'requests' in last) last.requests.push(request)
    else found.push({ kind: 'record', requests: [request] })
  }
  return found
}

function recordAll(requests: readonly RecordRequest[], { database, insert, reply }: Writer): void {
  try {
    const failed = database.transaction(() => requests.map((request) => insertRows(request, insert)))
    requests.forEach((request, index) => reply({ kind: 'recorded', id: request.id, failedRows: failed[index] ?? [] }))
  } catch (error) {
    for (const { id } of requests) reply({ kind: 'failed', id, code: codeOf(error), message: messageOf(error) })
  }
}

function insertRows(request: RecordRequest, insert: SqlStatement | undefined): FailedRow[] {
  const failed: FailedRow[] = []
  request.rows.forEach((values, row) => {
    try {
      insert?.run(values)
    } catch (error) {
      // A value or the schema refuses one row: only that statement is undone. Anything else ends the transaction.
      const ofTheRow = !(error instanceof SqlError) || error.code === 'constraint' || error.code === 'mismatch'
      if (!ofTheRow) throw error
      failed.push({ row, message: messageOf(error) })
    }
  })
  return failed
}

function answer(
  request: Extract<WorkerRequest, { kind: 'query' }>,
  database: SqlDatabase,
  reply: (message: WorkerReply) => void,
): void {
  try {
    reply({ kind: 'rows', id: request.id, rows: database.prepare(request.sql).all(request.parameters) })
  } catch (error) {
    reply({ kind: 'failed', id: request.id, code: codeOf(error), message: messageOf(error) })
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
