import type { StreamMarks, StreamReader } from '../../domain/dialect.ts'
import { ChatStreamReader } from '../shared/chat-stream-reader.ts'
import { rawUsage } from './usage.ts'

const contentMembers = ['content', 'reasoning_content', 'reasoning', 'refusal']

/** Servers write JSON with and without spaces; content may also come in parts. */
export const streamMarks: StreamMarks = {
  content: [
    ...contentMembers.flatMap((name) => [`"${name}":"`, `"${name}": "`]),
    ...['content', 'tool_calls'].flatMap((name) => [`"${name}":[{`, `"${name}": [{`]),
  ],
  end: ['[DONE]'],
  fault: ['"error"'],
}

/** Reads one streamed completion of an upstream. */
export function streamReader(): StreamReader {
  return new ChatStreamReader(rawUsage)
}
