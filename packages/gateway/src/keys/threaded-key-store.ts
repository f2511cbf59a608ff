import { compiledEntry } from '@incipit/core'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { settlesWithin } from '../ledger/settles-within.ts'
import { SqlError } from '../ledger/sql-error.ts'
import type { KeyReply, KeyRequest, KeyWorkerData } from './key-messages.ts'
import type { KeyChange, KeyStore, KeyUse, KeyWrite } from './key-store.ts'
import type { StoredKey } from './virtual-key.ts'

type Unnumbered = KeyRequest extends infer Request ? (Request extends KeyRequest ? Omit<Request, 'id'> : never) : never

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

const busyMs = 1_000
const closeMs = 2_000

/** Where virtual keys are kept: in the database at `url`, else in a SQLite file. */
export interface KeyStoreOptions {
  readonly file: string
  /** `postgres://...` */
  readonly url?: string | undefined
}

/**
 * The store of virtual keys, in a thread of its own. A file and its thread come with the first key: a gateway
 * without virtual keys has neither. A thread that dies is replaced with the next request.
 *
 * @example const store = new ThreadedKeyStore({ file: join(dataDir, 'keys.db') })
 */
export class ThreadedKeyStore implements KeyStore {
  readonly #data: KeyWorkerData
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #worker: Promise<Worker> | undefined
  #closed = false

  constructor({ file, url }: KeyStoreOptions) {
    this.#data = { file, url, busyMs }
  }

  async changes(after: number, limit: number): Promise<readonly KeyChange[]> {
    const { file, url } = this.#data
    if (url === undefined && this.#worker === undefined && !existsSync(file)) return []
    return (await this.#ask({ kind: 'changes', after, limit })) as readonly KeyChange[] // as the thread answers it
  }

  async insert(stored: StoredKey): Promise<KeyWrite> {
    return (await this.#ask({ kind: 'insert', stored })) as KeyWrite // as the thread answers it
  }

  async replace(stored: StoredKey, revision: number): Promise<KeyWrite> {
    return (await this.#ask({ kind: 'replace', stored, revision })) as KeyWrite // as the thread answers it
  }

  async revoke(key: string, revision: number): Promise<KeyWrite> {
    return (await this.#ask({ kind: 'revoke', key, revision })) as KeyWrite // as the thread answers it
  }

  async noteUse(uses: readonly KeyUse[]): Promise<void> {
    await this.#ask({ kind: 'note-use', uses })
  }

  /** Lets the thread end by itself: one that is stopped within SQLite could abort the process. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const worker = await this.#worker?.catch(() => undefined)
    if (worker === undefined) return
    const ended = once(worker, 'exit')
    worker.postMessage({ kind: 'close', id: 0 } satisfies KeyRequest)
    if (!(await settlesWithin(ended, closeMs))) worker.unref()
  }

  async #ask(request: Unnumbered): Promise<unknown> {
    if (this.#closed) throw new Error('the store of virtual keys is closed')
    this.#worker ??= this.#start()
    const worker = await this.#worker
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ ...request, id })
    })
  }

  #start(): Promise<Worker> {
    // Without the flags of this process: a thread runs the compiled file, not the source.
    const entry = compiledEntry(import.meta.url, './key-worker.js')
    const worker = new Worker(entry, { workerData: this.#data, execArgv: [] })
    return new Promise((resolve, reject) => {
      let reason = 'its thread ended'
      worker.on('message', (reply: KeyReply) => {
        if (reply.kind === 'ready') resolve(worker)
        else if (reply.kind === 'refused') reason = reply.message
        else this.#settle(reply)
      })
      worker.on('error', (error) => (reason = error.message))
      worker.on('exit', () => {
        this.#worker = undefined
        const error = new Error(reason)
        reject(error)
        for (const waiting of this.#waiting.values()) waiting.reject(error)
        this.#waiting.clear()
      })
    })
  }

  #settle(reply: Extract<KeyReply, { id: number }>): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.kind === 'done') waiting?.resolve(reply.value)
    else waiting?.reject(new SqlError(reply.code, `the store of virtual keys: ${reply.message}`))
  }
}
