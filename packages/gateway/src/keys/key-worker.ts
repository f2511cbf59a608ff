import type { MessagePort } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import { SqlError } from '../ledger/sql-error.ts'
import { openKeyFile } from './key-file.ts'
import type { KeyReply, KeyRequest, KeyWorkerData } from './key-messages.ts'
import type { KeyStore } from './key-store.ts'
import { PostgresKeyStore } from './postgres-key-store.ts'

// The thread that has the store of virtual keys: the event loop of the server never waits for SQLite.
if (parentPort !== null) await serve(parentPort, workerData as KeyWorkerData)

async function serve(port: MessagePort, { file, url, busyMs }: KeyWorkerData): Promise<void> {
  const say = (reply: KeyReply): void => port.postMessage(reply)
  let keys: KeyStore
  try {
    keys = url === undefined ? await openKeyFile(file, busyMs) : new PostgresKeyStore(url)
  } catch (error) {
    say({ kind: 'refused', message: reasonOf(error) })
    port.close()
    return
  }
  const inTurn = async (before: Promise<void>, request: KeyRequest): Promise<void> => {
    await before
    say(await answered(request, keys))
    if (request.kind === 'close') port.close()
  }
  // One after the other: whoever asks for changes hears of all writes answered before.
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: KeyRequest) => {
    last = inTurn(last, request)
  })
  say({ kind: 'ready' })
}

async function answered(request: KeyRequest, keys: KeyStore): Promise<KeyReply> {
  const { id } = request
  try {
    return { kind: 'done', id, value: await answer(request, keys) }
  } catch (error) {
    return { kind: 'failed', id, code: error instanceof SqlError ? error.code : 'other', message: reasonOf(error) }
  }
}

function answer(request: KeyRequest, keys: KeyStore): Promise<unknown> {
  switch (request.kind) {
    case 'changes':
      return keys.changes(request.after, request.limit)
    case 'insert':
      return keys.insert(request.stored)
    case 'replace':
      return keys.replace(request.stored, request.revision)
    case 'revoke':
      return keys.revoke(request.key, request.revision)
    case 'note-use':
      return keys.noteUse(request.uses)
    default:
      return keys.close()
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
