import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { LedgerError } from './ledger-error.ts'
import { settlesWithin } from './settles-within.ts'
import type { ImportCounts, WorkerReply, WorkerRequest } from './worker-messages.ts'

/** A request before it has an id. */
export type Unnumbered = WorkerRequest extends infer Request
  ? Request extends WorkerRequest
    ? Omit<Request, 'id'>
    : never
  : never

/** An answer to one request. */
export type Answer = Extract<WorkerReply, { id: number }>

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: LedgerError) => void
}

const firstDelayMs = 50
const longestDelayMs = 5_000

/**
 * Requests and answers over a worker thread that is replaced when it dies: at once after it had
 * worked, else after a growing delay (50 ms to 5 s), during which requests fail without waiting.
 */
export class WorkerChannel {
  readonly #spawn: () => Worker
  readonly #onReady: (counts: ImportCounts) => void
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #restart: NodeJS.Timeout | undefined
  #delayMs = 0
  #nextId = 1
  #closed = false
  /** Whoever waits for the first start; a thread that fails there is not replaced. */
  #opening: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
  #lastFailure = 'the thread of the ledger is not running'
  /** How often a thread died and was replaced. */
  restarts = 0

  private constructor(spawn: () => Worker, onReady: (counts: ImportCounts) => void) {
    this.#spawn = spawn
    this.#onReady = onReady
  }

  /**
   * Starts a thread and waits until it has opened its file. Each thread tells `onReady` what it imported before.
   * @throws Error with the thread's message when it refuses
   */
  static async open(spawn: () => Worker, onReady: (counts: ImportCounts) => void): Promise<WorkerChannel> {
    const channel = new WorkerChannel(spawn, onReady)
    await new Promise<void>((resolve, reject) => {
      channel.#opening = { resolve, reject }
      channel.#start()
    })
    return channel
  }

  /** @throws LedgerError `worker_crashed` or `closed` */
  send(request: Unnumbered): Promise<Answer> {
    if (this.#closed) return Promise.reject(new LedgerError('closed', 'the ledger is closed'))
    const worker = this.#worker
    if (worker === undefined) return Promise.reject(new LedgerError('worker_crashed', this.#lastFailure))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ ...request, id })
    })
  }

  /**
   * Lets the thread finish what it has and end by itself, waiting for that at most `withinMs`. It is never
   * terminated: a thread that is stopped within libsql aborts the whole process. One that still hangs does
   * not keep the process alive.
   */
  async close(withinMs: number): Promise<void> {
    if (this.#closed) return
    const worker = this.#worker
    const ended = worker === undefined ? undefined : once(worker, 'exit')
    this.send({ kind: 'close' }).catch(() => undefined)
    this.#closed = true
    clearTimeout(this.#restart)
    if (ended !== undefined && !(await settlesWithin(ended, withinMs))) worker?.unref()
  }

  #start(): void {
    const worker = this.#spawn()
    this.#worker = worker
    worker.on('message', (reply: WorkerReply) => {
      if (reply.kind === 'ready') this.#ready(reply)
      else if (reply.kind === 'refused') this.#lastFailure = reply.message
      else this.#settle(reply)
    })
    worker.on('error', (error) => (this.#lastFailure = `the thread of the ledger died: ${error.message}`))
    worker.on('exit', () => this.#ended())
  }

  #ready(counts: ImportCounts): void {
    this.#delayMs = 0
    this.#onReady(counts)
    this.#opening?.resolve()
    this.#opening = undefined
  }

  #settle(answer: Answer): void {
    this.#waiting.get(answer.id)?.resolve(answer)
    this.#waiting.delete(answer.id)
  }

  #ended(): void {
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(new LedgerError('worker_crashed', this.#lastFailure))
    this.#waiting.clear()
    if (this.#closed) return
    if (this.#opening !== undefined) {
      this.#closed = true
      this.#opening.reject(new Error(this.#lastFailure))
      return
    }
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(longestDelayMs, Math.max(firstDelayMs, delayMs * 2))
    this.restarts += 1
    if (delayMs === 0) this.#start()
    else this.#restart = setTimeout(() => this.#start(), delayMs).unref()
  }
}
