import type { CancelSignal } from '../http/cancellation.ts'

/**
 * Waits, unless the signal ends it: then it rejects with the signal's reason.
 * @example await pause(250, exchange.signal)
 */
export async function pause(ms: number, signal: CancelSignal): Promise<void> {
  if (ms <= 0) return
  await new Promise<void>((resolve, reject) => {
    const gone = (): void => {
      clearTimeout(timer)
      reject(signal.reason) // aborts carry an IncipitError
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', gone)
      resolve()
    }, ms)
    signal.addEventListener('abort', gone, { once: true })
    if (signal.aborted) gone()
  })
}
