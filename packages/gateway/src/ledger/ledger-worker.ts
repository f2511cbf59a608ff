import type { MessagePort } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import type { LedgerFileOptions } from './ledger-file.ts'
import { openStore } from './open-store.ts'
import type { SqlConnection } from './sql-connection.ts'
import { Store } from './store.ts'
import type { WorkerReply, WorkerRequest } from './worker-messages.ts'

// The thread that owns a connection to the store: the event loop of the server never waits for it.
if (parentPort !== null) await serve(parentPort, workerData as LedgerFileOptions)

async function serve(port: MessagePort, options: LedgerFileOptions): Promise<void> {
  const reply = (message: WorkerReply): void => port.postMessage(message)
  let connection: SqlConnection
  try {
    connection = await openStore(options)
  } catch (error) {
    reply({ kind: 'refused', message: error instanceof Error ? error.message : String(error) })
    port.close()
    return
  }
  const store = new Store(connection, options)
  // One after the other: a connection has one transaction at a time.
  let last = begin(store, options, reply)
  port.on('message', (request: WorkerRequest) => {
    last = serveOne(request, last)
  })

  async function serveOne(request: WorkerRequest, before: Promise<void>): Promise<void> {
    await before
    reply(await store.answer(request))
    if (request.kind === 'close') port.close()
  }
}

async function begin(store: Store, { role }: LedgerFileOptions, reply: (message: WorkerReply) => void): Promise<void> {
  if (role === 'writer') await store.takeOver()
  reply({ kind: 'ready', ...store.journals.counts() })
}
