import { IncipitError } from '@incipit/core'
import type { ServerResponse } from 'node:http'
import type { CancelSignal } from '../http/cancellation.ts'

/** How long a client may leave a full socket unread before its answer is cut. */
export const stallLimitMs = 120_000

/**
 * Waits until a response takes bytes again.
 * @throws IncipitError `client_closed` when the client goes away or reads nothing for two minutes
 * @example if (!response.write(text)) await awaitDrain(response, signal)
 */
export async function awaitDrain(
  response: ServerResponse,
  signal: CancelSignal,
  limitMs: number = stallLimitMs,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      clearTimeout(timer)
      response.off('drain', drained)
      signal.removeEventListener('abort', gone)
      settle()
    }
    const drained = (): void => done(resolve)
    const gone = (): void => done(() => reject(new IncipitError('client_closed', 'the client went away')))
    const timer = setTimeout(() => {
      done(() => reject(new IncipitError('client_closed', `the client read nothing for ${limitMs} ms`)))
    }, limitMs)
    response.once('drain', drained)
    signal.addEventListener('abort', gone, { once: true })
    if (signal.aborted) gone()
    else if (!response.writableNeedDrain) drained()
  })
}
