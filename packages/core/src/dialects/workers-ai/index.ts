import type { Dialect } from '../../domain/dialect.ts'
import { readFault, renderError, renderFault } from './errors.ts'
import { parse } from './parse.ts'
import { read } from './read.ts'
import { answer } from './render.ts'
import { stream } from './stream.ts'
import { readAnswer, streamMarks, streamReader } from './stream-reader.ts'
import { inputTotal, rawUsage, usage } from './usage.ts'
import { write } from './write.ts'

/**
 * The `ai/run` route of Workers AI. Its OpenAI-compatible route is
 * `createOpenaiChat({ alwaysStreamUsage: true })`.
 *
 * @example const dialect = createWorkersAi()
 */
export function createWorkersAi(): Dialect {
  return {
    name: 'workers-ai',
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
    streamMarks,
    rawUsage,
    usage,
    inputTotal,
  }
}
