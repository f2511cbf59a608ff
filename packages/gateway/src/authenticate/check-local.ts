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

/** Those found so lately: every request names one, and it takes a URL to find out. */
const known = new Set<string>()
const mostKnown = 100

function isLoopback(url: string): boolean {
  if (known.has(url)) return true
  try {
    const { hostname, protocol } = new URL(url)
    const found = /^https?:$/.test(protocol) && /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname)
    if (known.size >= mostKnown) known.clear()
    if (found) known.add(url)
    return found
  } catch {
    return false
  }
}
