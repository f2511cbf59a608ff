import type { AnswerEvent, AnswerUsage } from '../../domain/answer.ts'
import type { AnswerContext, StreamRenderer } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import { laterUsage } from '../shared/answer-fold.ts'
import { sseComment, sseData, sseDone } from '../shared/sse-data.ts'
import { chatUsage } from '../shared/token-counts.ts'
import { jsonArray } from '../shared/write-json.ts'
import { wireError } from './errors.ts'
import { callJson } from './render.ts'

/** A streamed answer: frames of text; the last one before `[DONE]` carries the usage, where it is known (CF-8). */
export function stream(context: AnswerContext): StreamRenderer {
  return new RunStream(context.id)
}

class RunStream implements StreamRenderer {
  readonly #id: string
  readonly #calls: { readonly id: string; readonly name: string; arguments: string }[] = []
  #startUsage: AnswerUsage | undefined

  constructor(id: string) {
    this.#id = id
  }

  event(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start':
        this.#startUsage = event.usage
        return ''
      case 'text-delta':
      case 'refusal-delta':
        return event.text === '' ? '' : sseData(`{"response":${JSON.stringify(event.text)}}`)
      case 'thinking-delta':
        return event.text === '' ? '' : sseData(`{"response":"","reasoning_content":${JSON.stringify(event.text)}}`)
      case 'tool-start':
        this.#calls[event.index] = { id: event.id, name: event.name, arguments: '' }
        return ''
      case 'tool-delta': {
        const call = this.#calls[event.index]
        if (call !== undefined) call.arguments += event.json
        return ''
      }
      case 'finish':
        return this.#finish(laterUsage(this.#startUsage, event.usage))
      case 'ping':
        return sseComment('ping')
      case 'thinking-signature':
      case 'redacted-thinking':
        return ''
      default:
        return event satisfies never
    }
  }

  /** The error envelope as the last frame; no `[DONE]` follows, so that no reader takes the answer for whole. */
  error(error: IncipitError): string {
    return sseData(JSON.stringify(wireError(error, this.#id)))
  }

  /** Tool calls leave whole: the API has no pieces of them. */
  #finish(usage: AnswerUsage | undefined): string {
    const calls = this.#calls.length === 0 ? '' : `,"tool_calls":${jsonArray(this.#calls.map(callJson))}`
    const counts = usage === undefined ? '' : `,"usage":${JSON.stringify(chatUsage(usage))}`
    return (calls + counts === '' ? '' : sseData(`{"response":""${calls}${counts}}`)) + sseDone
  }
}
