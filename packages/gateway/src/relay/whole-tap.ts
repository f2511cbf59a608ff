import type { UpstreamFault } from '@incipit/core'
import type { RawUsage } from './usage-scan.ts'
import { usageIn } from './usage-scan.ts'
import { answerIdIn } from './answer-id.ts'
import { serviceTierIn } from './service-tier.ts'

/** What is read from an answer while it passes. */
export interface AnswerTap {
  push(chunk: Buffer): void
  /** The answer has ended. */
  finish(): void
  /** Usage objects seen so far, merged; of a whole answer only after `finish`. */
  readonly usage: RawUsage | undefined
  /** Content has passed. */
  readonly answered: boolean
  /** The event that completes a stream has passed. */
  readonly ended: boolean
  /** Nothing that matters follows: a stream is complete, or has ended in an error. */
  readonly isOver: boolean
  /** The error that an event of a stream reported, or that a whole answer holds. */
  readonly fault: UpstreamFault | undefined
  /** The upstream's own id of the answer. */
  readonly answerId: string | undefined
  /** The service tier it names beside its usage; looks for it when asked. */
  serviceTier(): string | undefined
}

/** How much of the end of an answer is kept to be read: usage stands at one of its ends. */
const keptBytes = 2 ** 20

/** Reads an answer that is one JSON value: its beginning and its end. */
export class WholeTap implements AnswerTap {
  usage: RawUsage | undefined
  answerId: string | undefined
  answered = false
  readonly ended = false
  readonly isOver = false
  fault: UpstreamFault | undefined
  /** The answer, where all of it is kept. */
  #whole: Buffer | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  /** Everything that came is still kept. */
  #isWhole = true

  push(chunk: Buffer): void {
    this.answered = true
    if (this.#bytes === 0) this.answerId = answerIdIn(chunk)
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes > keptBytes && this.#chunks.length > 1) {
      const oldest = this.#chunks.shift()
      this.#isWhole = false
      if (oldest !== undefined) {
        this.usage = usageIn(oldest, 0, oldest.length, this.usage)
        this.#bytes -= oldest.length
      }
    }
  }

  finish(): void {
    const [only] = this.#chunks
    const kept = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    if (this.#isWhole) this.answerId ??= answerIdIn(kept)
    this.usage = usageIn(kept, 0, kept.length, this.usage)
    if (this.#isWhole) {
      this.fault = faultIn(kept)
      this.#whole = kept
    }
    this.#chunks = []
  }

  serviceTier(): string | undefined {
    return this.#whole === undefined ? undefined : serviceTierIn(this.#whole)
  }
}

const errorName = Buffer.from('"error"')
/** An error is short: what is longer is an answer. */
const longestError = 65_536

/** Some upstreams answer 200 with an error: a member of that name that says something. */
function faultIn(body: Buffer): UpstreamFault | undefined {
  if (body.length > longestError || !body.includes(errorName)) return undefined
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    const error: unknown = typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : null
    const says = typeof error === 'string' || (typeof error === 'object' && error !== null)
    return says
      ? { type: undefined, code: undefined, message: 'an error with status 200', param: undefined }
      : undefined
  } catch {
    return undefined
  }
}
