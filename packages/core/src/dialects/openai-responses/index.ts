import type { Dialect, StreamMarks } from '../../domain/dialect.ts'
import { readFault, renderError, renderFault } from './errors.ts'
import { parse } from './parse.ts'
import { read } from './read.ts'
import { answer } from './render.ts'
import { readAnswer, streamReader } from './stream-reader.ts'
import { stream } from './stream.ts'
import { inputTotal, rawUsage, usage } from './usage.ts'
import { write } from './write.ts'

export { looksLikeResponses } from './parse.ts'

const streamMarks: StreamMarks = {
  content: [
    '"response.output_text.delta"',
    '"response.refusal.delta"',
    '"response.reasoning_summary_text.delta"',
    '"response.reasoning_text.delta"',
    '"response.function_call_arguments.delta"',
    '"response.custom_tool_call_input.delta"',
    '"response.mcp_call_arguments.delta"',
    '"response.code_interpreter_call_code.delta"',
    '"response.audio.delta"',
    '"response.audio.transcript.delta"',
  ],
  end: ['"response.completed"', '"response.incomplete"', '"response.failed"'],
  fault: ['"type":"error"', '"type": "error"', '"response.failed"'],
}

/**
 * OpenAI Responses.
 * @example const dialect = createOpenaiResponses()
 */
export function createOpenaiResponses(): Dialect {
  return {
    name: 'openai-responses',
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
