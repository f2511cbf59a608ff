import type { Dialect } from '../../domain/dialect.ts'
import { IncipitError } from '../../domain/errors.ts'
import { readChatAnswer } from '../shared/chat-answer.ts'
import { isRecord } from '../shared/token-counts.ts'
import { readFault, renderError, renderFault } from './errors.ts'
import { parse } from './parse.ts'
import { read } from './read.ts'
import { answer } from './render.ts'
import { stream } from './stream.ts'
import { streamMarks, streamReader } from './stream-reader.ts'
import { inputTotal, rawUsage, usage } from './usage.ts'
import { write } from './write.ts'

export interface OpenaiChatOptions {
  /**
   * Ends every stream with usage, also where the client did not ask: for the OpenAI-compatible route
   * of Workers AI. Off by default.
   */
  readonly alwaysStreamUsage?: boolean
}

/**
 * OpenAI Chat Completions.
 * @example const dialect = createOpenaiChat()
 */
export function createOpenaiChat(options: OpenaiChatOptions = {}): Dialect {
  return {
    name: 'openai-chat',
    parse,
    read,
    write,
    answer,
    streamContentType: 'text/event-stream; charset=utf-8',
    alwaysStreamUsage: options.alwaysStreamUsage ?? false,
    stream: (context) => stream(context, options.alwaysStreamUsage ?? false),
    error: renderError,
    fault: renderFault,
    readAnswer: (body) => {
      if (!isRecord(body)) throw new IncipitError('upstream_failed', 'the answer of the upstream is no JSON object')
      return readChatAnswer(body, rawUsage(body))
    },
    streamReader,
    readFault,
    streamMarks,
    rawUsage,
    usage,
    inputTotal,
  }
}
