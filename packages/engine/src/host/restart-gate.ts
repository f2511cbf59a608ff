import { IncipitError } from '@incipit/core'

/** Milliseconds before the first, second, ... restart of a process that keeps ending. */
const restartDelays = [50, 500, 2_000, 5_000, 10_000] as const
/** A process that was up this long was not in a restart loop. */
const stableMs = 30_000

/** Somebody who waits for the process to come up. */
interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Whether a process is up, who waits for it, and how long to wait before it is started again. After the first end
 * those who come wait a while; once a start has failed they are refused at once, since nobody knows how long it takes.
 *
 * @example
 * gate.opened(); await gate.pass(10_000)
 * setTimeout(start, gate.ended('the process ended (SIGSEGV)'))
 */
export class RestartGate {
  readonly #now: () => number
  readonly #waiters = new Set<Waiter>()
  #openedAt: number | undefined
  /** Ends without a long life in between. */
  #endsInARow = 0
  /** Starts since the process was last up, all of which failed. */
  #failedStarts = 0
  #why = ''
  #retryAt = 0
  #closed = false

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined
  }

  get closed(): boolean {
    return this.#closed
  }

  opened(): void {
    this.#openedAt = this.#now()
    this.#failedStarts = 0
    for (const waiter of this.#waiters) waiter.resolve()
  }

  /** The process has ended, or could not be started. @returns milliseconds to wait before it is started again */
  ended(why: string): number {
    if (this.#openedAt === undefined) this.#failedStarts++
    else if (this.#now() - this.#openedAt > stableMs) this.#endsInARow = 0
    this.#openedAt = undefined
    this.#why = why
    const delay = restartDelays[Math.min(this.#endsInARow++, restartDelays.length - 1)] ?? 0
    this.#retryAt = this.#now() + delay
    if (this.#failedStarts > 0) for (const waiter of this.#waiters) waiter.reject(this.#down())
    return delay
  }

  /** Nobody passes any more. */
  close(): void {
    this.#closed = true
    for (const waiter of this.#waiters) waiter.reject(closing())
  }

  /** Whole seconds until the next start. */
  get retryAfterSeconds(): number {
    return Math.max(1, Math.ceil((this.#retryAt - this.#now()) / 1_000))
  }

  /**
   * Resolves at once while the process is up, else when it is again.
   * @throws IncipitError `engine_restarting` at once when its last start failed, else after `allowedMs`
   */
  async pass(allowedMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw closing()
    if (this.isOpen) return
    if (this.#failedStarts > 0) throw this.#down()
    await new Promise<void>((resolve, reject) => {
      const settle = (how: () => void): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', aborted)
        this.#waiters.delete(waiter)
        how()
      }
      const waiter: Waiter = { resolve: () => settle(resolve), reject: (error) => settle(() => reject(error)) }
      const aborted = (): void => waiter.reject(signal?.reason)
      const timer = setTimeout(() => waiter.reject(this.#down()), allowedMs)
      signal?.addEventListener('abort', aborted, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #down(): IncipitError {
    const failed = this.#failedStarts === 0 ? 'it is starting' : `starts that failed since: ${this.#failedStarts}`
    const { retryAfterSeconds } = this
    return new IncipitError('engine_restarting', `the engine is down, ${failed}; ${this.#why}`, { retryAfterSeconds })
  }
}

function closing(): IncipitError {
  return new IncipitError('shutting_down', 'the engine is closing')
}
