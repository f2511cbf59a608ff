import type { Dialect } from '../../domain/dialect.ts'
import { readFault, renderError, renderFault } from './errors.ts'
import { parse } from './parse.ts'
import { read } from './read.ts'
import { answer, readAnswer } from './render.ts'
import { streamReader } from './stream-reader.ts'
import { stream } from './stream.ts'
import { inputTotal, rawUsage, usage } from './usage.ts'
import { write } from './write.ts'

/**
 * Anthropic Messages.
 * @example const dialect = createAnthropicMessages()
 */
export function createAnthropicMessages(): Dialect {
  return {
    name: 'anthropic-messages',
    parse,
    read,
    write,
    answer,
    streamContentType: 'text/event-stream; charset=utf-8',
    stream,
    error: renderError,
    fault: renderFault,
    readAnswer,
    streamReader,
    readFault,
    streamMarks: {
      content: ['"content_block_delta"'],
      end: ['"message_stop"'],
      fault: ['"type":"error"', '"type": "error"'],
    },
    rawUsage,
    usage,
    inputTotal,
  }
}
