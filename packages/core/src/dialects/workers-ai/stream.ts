import type { AnswerContext, StreamRenderer } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import type { GenerationEvent, PromptReport } from '../../domain/generation.ts'
import { sseData, sseDone } from '../shared/sse-data.ts'
import { chatUsage } from '../shared/token-counts.ts'
import { wireError } from './errors.ts'

/** A streamed answer: frames of text; the last one before `[DONE]` always carries the usage (CF-8). */
export function stream(context: AnswerContext): StreamRenderer {
  let report: PromptReport | undefined
  return {
    event(event: GenerationEvent): string {
      if (event.kind === 'prompt') {
        report = event
        return ''
      }
      if (event.kind === 'text-delta') {
        return event.text === '' ? '' : sseData(`{"response":${JSON.stringify(event.text)}}`)
      }
      if (report === undefined) throw new Error('a generation finished before it reported its prompt')
      return sseData(`{"response":"","usage":${JSON.stringify(chatUsage(report, event.outputTokens))}}`) + sseDone
    },
    /** The error envelope as the last frame; no `[DONE]` follows, so that no reader takes the answer for whole. */
    error(error: IncipitError): string {
      return sseData(JSON.stringify(wireError(error, context.id)))
    },
  }
}
