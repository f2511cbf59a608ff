import type { AnswerContext, StreamRenderer } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import type { GenerationEvent, PromptReport } from '../../domain/generation.ts'
import type { TokenCount } from '../../domain/units.ts'
import { bodyOf } from '../shared/scanned.ts'
import { sseData, sseDone } from '../shared/sse-data.ts'
import { chatUsage } from '../shared/token-counts.ts'
import { wireError } from './errors.ts'
import { includesUsage } from './parse.ts'
import { completionId, createdSeconds, wireLogprobs } from './render.ts'

/** A streamed answer: a role chunk, deltas, a finish chunk, the usage chunk where wanted, `[DONE]`. */
export function stream(context: AnswerContext, alwaysUsage: boolean): StreamRenderer {
  return new ChatStream(context, alwaysUsage || includesUsage(bodyOf(context.prompt)))
}

class ChatStream implements StreamRenderer {
  readonly #id: string
  /** What all chunks of the stream begin with, rendered once. */
  readonly #opening: string
  readonly #includeUsage: boolean
  #report: PromptReport | undefined

  constructor(context: AnswerContext, includeUsage: boolean) {
    this.#id = context.id
    this.#includeUsage = includeUsage
    const head = {
      id: completionId(context),
      object: 'chat.completion.chunk',
      created: createdSeconds(context),
      model: context.model,
    }
    this.#opening = JSON.stringify(head).slice(0, -1)
  }

  event(event: GenerationEvent): string {
    if (event.kind === 'prompt') {
      this.#report = event
      return this.#chunk('{"role":"assistant","content":"","refusal":null}', 'null', 'null')
    }
    if (event.kind === 'finish') {
      return this.#chunk('{}', 'null', JSON.stringify(event.reason)) + this.#usage(event.outputTokens) + sseDone
    }
    if (event.text === '' && event.logprobs === undefined) return ''
    const logprobs = event.logprobs === undefined ? 'null' : JSON.stringify(wireLogprobs(event.logprobs))
    return this.#chunk(`{"content":${JSON.stringify(event.text)}}`, logprobs, 'null')
  }

  /** No `[DONE]` follows: the official client throws at `error`, and a plain reader must not take the answer for whole. */
  error(error: IncipitError): string {
    return sseData(JSON.stringify(wireError(error, this.#id)))
  }

  #chunk(delta: string, logprobs: string, finishReason: string): string {
    const choice = `{"index":0,"delta":${delta},"logprobs":${logprobs},"finish_reason":${finishReason}}`
    return sseData(`${this.#opening},"choices":[${choice}]${this.#includeUsage ? ',"usage":null' : ''}}`)
  }

  #usage(outputTokens: TokenCount): string {
    if (this.#report === undefined) throw new Error('a generation finished before it reported its prompt')
    if (!this.#includeUsage) return ''
    return sseData(`${this.#opening},"choices":[],"usage":${JSON.stringify(chatUsage(this.#report, outputTokens))}}`)
  }
}
