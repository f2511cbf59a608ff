/** A server-sent event that holds one line of data. */
export function sseData(data: string): string {
  return `data: ${data}\n\n`
}

/** The last event of a stream that came to its end. */
export const sseDone = 'data: [DONE]\n\n'

/** A line that every reader passes over; keeps a connection alive. */
export function sseComment(text: string): string {
  return `: ${text}\n\n`
}
