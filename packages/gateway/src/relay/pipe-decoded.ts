import { IncipitError } from '@incipit/core'
import type { Decoder } from '../http/content-coding.ts'
import { decoderFor } from '../http/content-coding.ts'
import type { BodySink, UpstreamAnswer } from '../upstreams/upstream-answer.ts'

/** A body that flows; whoever has asked it to pause resumes it. */
export interface Flow {
  resume(): void
}

/**
 * Lets the body of an answer flow without its content coding, whoever asked for one. Decoded it is bounded like the
 * coded one: a small answer cannot be blown up past `max_answer_bytes`, nor past what its reader takes.
 *
 * @example const flow = pipeDecoded(answer, { data: (chunk) => response.write(chunk), end, failed })
 */
export function pipeDecoded(answer: UpstreamAnswer, sink: BodySink): Flow {
  const coding = answer.headers['content-encoding']
  const decoder = decoderFor(coding, {
    onData: (chunk) => decoding?.data(chunk),
    onDrain: () => answer.resume(),
    onEnd: () => decoding?.end(),
    onError: (cause) => decoding?.failed(notSoCoded(cause)),
  })
  const decoding = decoder === undefined ? undefined : new Decoding(answer, decoder, sink)
  if (decoder === undefined || decoding === undefined) {
    answer.pipe(sink)
    return { resume: () => answer.resume() }
  }
  answer.pipe({
    data: (chunk) => decoder.push(chunk),
    end: () => decoding.received(),
    failed: (error) => decoding.failed(error),
  })
  return { resume: () => decoder.resume() }
}

/** One body on its way through a decoder: its end, or its failure, is told once. */
class Decoding {
  readonly #answer: UpstreamAnswer
  readonly #decoder: Decoder
  readonly #sink: BodySink
  #size = 0
  #over = false
  readonly #gone = (): void => this.failed(new IncipitError('client_closed', 'the client went away'))

  constructor(answer: UpstreamAnswer, decoder: Decoder, sink: BodySink) {
    this.#answer = answer
    this.#decoder = decoder
    this.#sink = sink
  }

  data(chunk: Buffer): boolean {
    if (this.#over) return false
    this.#size += chunk.length
    const { maxBytes } = this.#answer
    if (this.#size <= maxBytes) return this.#sink.data(chunk)
    const message = `the upstream: its answer has at least ${this.#size} bytes, ${maxBytes} are allowed`
    this.failed(new IncipitError('upstream_too_large', message))
    return false
  }

  /** All has come from the upstream, which knows no longer of a client that leaves now. */
  received(): void {
    const { signal } = this.#answer
    signal.addEventListener('abort', this.#gone)
    this.#decoder.end()
    if (signal.aborted) this.#gone()
  }

  end(): void {
    if (this.#settle()) this.#sink.end()
  }

  failed(error: Parameters<BodySink['failed']>[0]): void {
    if (!this.#settle()) return
    this.#decoder.destroy()
    this.#sink.failed(error)
    this.#answer.abort(error)
  }

  /** @returns whether it was not over before */
  #settle(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#answer.signal.removeEventListener('abort', this.#gone)
    return true
  }
}

function notSoCoded(cause: Error): IncipitError {
  return new IncipitError('upstream_failed', 'the answer of the upstream is not in the coding it says', { cause })
}
