import { IncipitError } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import { header } from '../http/exchange.ts'

/**
 * An open gateway trusts the machine it runs on, not the web pages its browser shows: those reach
 * loopback under a name of their own, or say where they come from.
 * @throws IncipitError `forbidden`
 */
export function checkLocal(request: IncomingMessage): void {
  const host = header(request, 'host')
  const origin = header(request, 'origin')
  if (host !== undefined && !isLoopback(`http://${host}`)) {
    throw new IncipitError(
      'forbidden',
      `without keys the gateway answers to loopback names, not to "${host.slice(0, 100)}"`,
    )
  }
  if (origin !== undefined && !isLoopback(origin)) {
    throw new IncipitError('forbidden', `without keys the gateway does not answer pages of "${origin.slice(0, 100)}"`)
  }
}

function isLoopback(url: string): boolean {
  try {
    const { hostname, protocol } = new URL(url)
    return /^https?:$/.test(protocol) && /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname)
  } catch {
    return false
  }
}
