import type { OutgoingHttpHeaders } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Exchange } from '../http/exchange.ts'
import { awaitDrain } from '../relay/await-drain.ts'

/**
 * Sends a long answer in pieces that are made one after the other, no faster than the client reads; others have their
 * turn in between. Side effect: ends the response.
 *
 * @throws IncipitError `client_closed`, or the reason for which the request was cut
 * @example await sendPieces(exchange, { 'content-type': 'text/csv' }, lines())
 */
export async function sendPieces(
  { response, signal }: Pick<Exchange, 'response' | 'signal'>,
  headers: OutgoingHttpHeaders,
  pieces: Iterable<string>,
): Promise<void> {
  response.writeHead(200, headers)
  for (const piece of pieces) {
    if (signal.aborted) throw signal.reason
    if (response.write(piece)) await nextTurn()
    else await awaitDrain(response, signal)
  }
  response.end()
}

/**
 * A list in parts of at most so many.
 * @example [...inParts([1, 2, 3], 2)] // [[1, 2], [3]]
 */
export function* inParts<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
