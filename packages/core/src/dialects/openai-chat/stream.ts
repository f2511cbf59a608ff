import type { AnswerEvent, AnswerUsage } from '../../domain/answer.ts'
import type { AnswerContext, StreamRenderer } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import { laterUsage } from '../shared/answer-fold.ts'
import { includeUsageOf } from '../shared/chat-settings.ts'
import { chatFinish } from '../shared/chat-stops.ts'
import { renderOpenaiError } from '../shared/openai-error.ts'
import { bodyOf } from '../shared/scanned.ts'
import { sseComment, sseData, sseDone } from '../shared/sse-data.ts'
import { chatUsage } from '../shared/token-counts.ts'
import { completionId, createdSeconds, wireLogprobs } from './render.ts'

/** A streamed answer: a role chunk, deltas, a finish chunk, the usage chunk where wanted, `[DONE]`. */
export function stream(context: AnswerContext, alwaysUsage: boolean): StreamRenderer {
  return new ChatStream(context, alwaysUsage || (includeUsageOf(bodyOf(context.prompt)) ?? false))
}

class ChatStream implements StreamRenderer {
  readonly #id: string
  /** What all chunks of the stream begin with, rendered once. */
  readonly #opening: string
  readonly #includeUsage: boolean
  #startUsage: AnswerUsage | undefined
  #refused = false

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

  event(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start':
        this.#startUsage = event.usage
        return this.#delta('"role":"assistant","content":"","refusal":null')
      case 'text-delta':
        return this.#text(event)
      case 'refusal-delta':
        this.#refused = true
        return event.text === '' ? '' : this.#delta(`"refusal":${JSON.stringify(event.text)}`)
      case 'thinking-delta':
        return event.text === '' ? '' : this.#delta(`"reasoning_content":${JSON.stringify(event.text)}`)
      case 'tool-start':
      case 'tool-delta':
        return this.#delta(`"tool_calls":[${callDelta(event)}]`)
      case 'finish':
        return this.#finish(event)
      case 'ping':
        return sseComment('ping')
      case 'thinking-signature':
      case 'redacted-thinking':
        // Clients of this API have no place to keep them.
        return ''
      default:
        return event satisfies never
    }
  }

  /** No `[DONE]` follows: the official client throws at `error`, and a plain reader must not take the answer for whole. */
  error(error: IncipitError): string {
    return sseData(renderOpenaiError(error, this.#id).body)
  }

  #text({ text, logprobs }: Extract<AnswerEvent, { kind: 'text-delta' }>): string {
    if (text === '' && logprobs === undefined) return ''
    const rendered = logprobs === undefined ? 'null' : JSON.stringify(wireLogprobs(logprobs))
    return this.#chunk(`{"content":${JSON.stringify(text)}}`, rendered, 'null')
  }

  #finish({ stop, usage }: Extract<AnswerEvent, { kind: 'finish' }>): string {
    const last = this.#chunk('{}', 'null', JSON.stringify(chatFinish(stop, this.#refused)))
    return last + this.#usage(laterUsage(this.#startUsage, usage)) + sseDone
  }

  #delta(members: string): string {
    return this.#chunk(`{${members}}`, 'null', 'null')
  }

  #chunk(delta: string, logprobs: string, finishReason: string): string {
    const choice = `{"index":0,"delta":${delta},"logprobs":${logprobs},"finish_reason":${finishReason}}`
    return sseData(`${this.#opening},"choices":[${choice}]${this.#includeUsage ? ',"usage":null' : ''}}`)
  }

  /** An upstream that reported nothing leaves nothing to say: zeros would be a lie. */
  #usage(usage: AnswerUsage | undefined): string {
    if (!this.#includeUsage || usage === undefined) return ''
    return sseData(`${this.#opening},"choices":[],"usage":${JSON.stringify(chatUsage(usage))}}`)
  }
}

function callDelta(event: Extract<AnswerEvent, { kind: 'tool-start' | 'tool-delta' }>): string {
  if (event.kind === 'tool-delta') {
    return `{"index":${event.index},"function":{"arguments":${JSON.stringify(event.json)}}}`
  }
  const [id, name] = [JSON.stringify(event.id), JSON.stringify(event.name)]
  return `{"index":${event.index},"id":${id},"type":"function","function":{"name":${name},"arguments":""}}`
}
