/**
 * What tells that nobody waits for an answer any more: the part of `AbortSignal` that stages use, so that either
 * can stand for it.
 */
export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * The cancellation of one request. An `AbortController` is an event target with all that belongs to one, and costs
 * more to make than the rest of a request's bookkeeping; it is made only for those who ask for one.
 *
 * @example const cancellation = new Cancellation(); cancellation.abort(new IncipitError('client_closed', '...'))
 */
export class Cancellation implements CancelSignal {
  aborted = false
  reason: unknown
  /** Most requests have one listener at a time. */
  #listeners: (() => void)[] = []
  #controller: AbortController | undefined

  /** Tells everyone who listens, once. */
  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
    this.#controller?.abort(reason)
  }

  /** Every listener is told once at most. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted && !this.#listeners.includes(listener)) this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at !== -1) this.#listeners.splice(at, 1)
  }

  /** The same as the platform's own signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.aborted) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }
}

/**
 * The platform's signal for those who need one.
 * @example engine.generate(request, abortSignalOf(exchange.signal))
 */
export function abortSignalOf(signal: CancelSignal): AbortSignal {
  if (signal instanceof Cancellation) return signal.signal
  if (signal instanceof AbortSignal) return signal
  throw new TypeError('neither a Cancellation nor an AbortSignal')
}
