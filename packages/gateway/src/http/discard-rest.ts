import type { IncomingMessage } from 'node:http'

/** Longest silence in a body that nobody wants; the answer to it has left by then. */
const silenceMs = 1_000
/** And longest wait for one that keeps coming. */
const patienceMs = 30_000

/**
 * Reads what is left of a body to throw it away, for a while. A connection that is closed over unread bytes is
 * reset, and a client that is still sending then finds an error of its socket in place of the answer.
 *
 * @example response.write(refusal); discardRest(request, () => response.end())
 */
export function discardRest(request: IncomingMessage, done: () => void): void {
  const over = (): void => {
    clearTimeout(silence)
    clearTimeout(patience)
    request.off('data', more).off('end', over).off('close', over)
    done()
  }
  const more = (): void => void silence.refresh()
  const silence = setTimeout(over, silenceMs)
  const patience = setTimeout(over, patienceMs)
  request.on('data', more).on('end', over).on('close', over)
  request.resume()
}

/** Whether the head of a request announces a body. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
