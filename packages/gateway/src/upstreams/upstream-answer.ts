import { IncipitError } from '@incipit/core'
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { UpstreamFailure } from './upstream-failure.ts'
import type { CancelSignal } from '../http/cancellation.ts'

/** Takes the body of an answer. */
export interface BodySink {
  /** `false` = no more for now; `resume` of the answer goes on. */
  data(chunk: Buffer): boolean
  end(): void
  failed(error: UpstreamFailure | IncipitError): void
}

/** Longest an answer may take in all, also one that trickles forever. */
const longestAnswerMs = 3_600_000

export interface AnswerOptions {
  readonly signal: CancelSignal
  readonly maxBytes: number
  readonly resolve: (answer: UpstreamAnswer) => void
  readonly reject: (error: UpstreamFailure | IncipitError) => void
}

/**
 * One answer of an upstream: its head, and a body that flows into a sink with back-pressure. What comes
 * before the sink is there waits, and what comes in one turn of the event loop is given in one piece: an upstream
 * frames each event of a stream, and many come in one read. An answer that is not wanted must be discarded or aborted.
 */
export class UpstreamAnswer implements Dispatcher.DispatchHandler {
  status = 0
  headers: IncomingHttpHeaders = {}
  readonly #options: AnswerOptions
  readonly #onAbort = (): void => this.abort(abortReason(this.#options.signal))
  #controller: Dispatcher.DispatchController | undefined
  #sink: BodySink | undefined
  #waiting: Buffer[] = []
  /** What waits is given at the end of this turn. */
  #giving = false
  #bytes = 0
  #full = false
  readonly #deadline = performance.now() + longestAnswerMs
  #over: 'no' | 'ended' | UpstreamFailure | IncipitError = 'no'

  constructor(options: AnswerOptions) {
    this.#options = options
    options.signal.addEventListener('abort', this.#onAbort)
  }

  /** Aborted when the client leaves. */
  get signal(): CancelSignal {
    return this.#options.signal
  }

  /** Longest body it may have. */
  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** Lets the body flow; once only. */
  pipe(sink: BodySink): void {
    this.#sink = sink
    this.#give()
    if (this.#over === 'ended') sink.end()
    else if (this.#over !== 'no') sink.failed(this.#over)
    else if (!this.#full) this.#controller?.resume()
  }

  /** The sink has room again. */
  resume(): void {
    this.#full = false
    this.#controller?.resume()
  }

  /** Ends the request: the connection is closed, because what is left of the answer is not wanted. */
  abort(reason: Error): void {
    if (this.#over !== 'no') return
    if (this.#controller === undefined) this.#fail(IncipitError.is(reason) ? reason : UpstreamFailure.of(reason))
    else this.#controller.abort(reason)
  }

  /** The whole body, up to a bound beyond which the rest is left. @throws UpstreamFailure when it breaks off */
  async bytes(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    return new Promise((resolve, reject) => {
      const finish = (): void =>
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
      this.pipe({
        data: (chunk) => {
          chunks.push(chunk.subarray(0, limit - size))
          size += chunk.length
          if (size > limit) {
            finish()
            this.abort(new UpstreamFailure('answer', 'upstream_too_large', tooLarge(size, limit)))
          }
          return true
        },
        end: finish,
        failed: reject,
      })
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Aborted while it waited for a connection.
    if (this.#options.signal.aborted) controller.abort(abortReason(this.#options.signal))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.#controller = controller
    this.status = status
    this.headers = singleValues(headers)
    this.#options.resolve(this)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    const { maxBytes } = this.#options
    if (performance.now() > this.#deadline) {
      this.#controller?.abort(
        new UpstreamFailure('answer', 'upstream_timeout', `its answer took longer than ${longestAnswerMs} ms`),
      )
      return
    }
    if (this.#bytes > maxBytes) {
      this.#controller?.abort(new UpstreamFailure('answer', 'upstream_too_large', tooLarge(this.#bytes, maxBytes)))
      return
    }
    this.#waiting.push(chunk)
    if (this.#sink === undefined) {
      if (this.#bytes > 65_536) this.#controller?.pause()
    } else if (!this.#giving) {
      this.#giving = true
      process.nextTick(this.#giveLater)
    }
  }

  onResponseEnd(): void {
    this.#settle('ended')
    try {
      this.#give()
      this.#sink?.end()
    } catch (cause) {
      // Nobody above this call would tell the one who waits for the end.
      this.#sink?.failed(UpstreamFailure.of(cause as Error, true)) // whatever is thrown here is an error
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    if (IncipitError.is(cause) || cause instanceof UpstreamFailure) this.#fail(cause)
    else this.#fail(UpstreamFailure.of(cause, this.status !== 0))
  }

  readonly #giveLater = (): void => {
    this.#giving = false
    try {
      this.#give()
    } catch (cause) {
      this.abort(UpstreamFailure.of(cause as Error, true)) // whatever is thrown here is an error
    }
  }

  #give(): void {
    const [only] = this.#waiting
    if (this.#sink === undefined || only === undefined) return
    const bytes = this.#waiting.length === 1 ? only : Buffer.concat(this.#waiting)
    this.#waiting = []
    if (this.#sink.data(bytes)) return
    this.#full = true
    this.#controller?.pause()
  }

  #fail(error: UpstreamFailure | IncipitError): void {
    if (this.#over !== 'no') return
    this.#settle(error)
    if (this.status === 0) this.#options.reject(error)
    try {
      this.#give()
    } catch {
      // The sink hears of a failure all the same.
    }
    this.#sink?.failed(error)
  }

  #settle(how: 'ended' | UpstreamFailure | IncipitError): void {
    this.#over = how
    this.#options.signal.removeEventListener('abort', this.#onAbort)
  }
}

/** Headers that make no sense as a list: as in HTTP servers, the first one counts. */
const firstCounts = new Set(['content-type', 'retry-after', 'retry-after-ms', 'x-should-retry'])

/** One text for each header: an upstream that repeats one gives a list, which nobody expects. Side effect: in place. */
function singleValues(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value) && name !== 'set-cookie') {
      headers[name] = firstCounts.has(name) ? value[0] : value.join(', ')
    }
  }
  return headers
}

function abortReason(signal: CancelSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new IncipitError('client_closed', 'the request was aborted')
}

function tooLarge(seen: number, allowed: number): string {
  return `its answer has at least ${seen} bytes, ${allowed} are allowed`
}
