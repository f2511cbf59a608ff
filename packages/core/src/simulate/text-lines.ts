import { TraceError } from './trace-error.ts'

/** No line of a trace is longer, in UTF-16 units. */
const maxLine = 64 * 1024 * 1024

/**
 * Lines of UTF-8 bytes, without their ends; the chunks may be cut anywhere.
 * @throws TraceError for a line above 64 Mi characters
 * @example textLines(createReadStream('trace.jsonl'))
 */
export async function* textLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let open: string[] = []
  let length = 0
  for await (const chunk of bytes) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      yield open.join('') + line
      open = []
      length = 0
    }
    open.push(last)
    length += last.length
    if (length > maxLine)
      throw new TraceError(`a line is longer than ${maxLine} characters: expected one request per line`)
  }
  const rest = open.join('') + decoder.decode()
  if (rest !== '') yield rest
}
