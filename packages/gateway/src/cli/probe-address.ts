import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { connect, isIP } from 'node:net'
import { connect as connectTls, rootCertificates } from 'node:tls'

/** What came of knocking at an address. */
export type Probe =
  | { readonly kind: 'reached'; readonly ms: number }
  | { readonly kind: 'unreached'; readonly why: string }

/** How to knock. */
export interface ProbeInput {
  /** Its scheme, host and port; nothing else is looked at, and nothing is sent. */
  readonly url: string
  /** Certificates to trust besides the usual ones. */
  readonly caFile?: string | undefined
  readonly timeoutMs?: number
}

/**
 * Looks up the name, connects, and with https:// shakes hands; sends no request, and so costs nothing.
 * @example await probeAddress({ url: 'https://api.anthropic.com' })
 */
export async function probeAddress({ url, caFile, timeoutMs = 3000 }: ProbeInput): Promise<Probe> {
  const began = performance.now()
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'https:'
  const at = { host, port: Number(port === '' ? (secure ? 443 : 80) : port) }
  const ca = caFile === undefined ? undefined : [...rootCertificates, await readFile(caFile, 'utf8')]
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket = secure ? connectTls({ ...at, ...name, ...(ca === undefined ? {} : { ca }) }) : connect(at)
  const why = await whyUnreached(socket, secure ? 'secureConnect' : 'connect', timeoutMs)
  socket.destroy()
  return why === undefined ? { kind: 'reached', ms: Math.round(performance.now() - began) } : { kind: 'unreached', why }
}

function whyUnreached(socket: Socket, ready: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`no connection within ${timeoutMs / 1000} s`), timeoutMs)
    const settle = (why: string | undefined): void => {
      clearTimeout(timer)
      resolve(why)
    }
    socket.once(ready, () => settle(undefined))
    socket.on('error', (error: NodeJS.ErrnoException) => settle(inWords(error)))
  })
}

function inWords(error: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOTFOUND: 'its name is not known to DNS',
    EAI_AGAIN: 'DNS does not answer',
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'it closed the connection',
    ENETUNREACH: 'its network cannot be reached',
    EHOSTUNREACH: 'it cannot be reached',
  }
  return reasons[error.code ?? ''] ?? `TLS: ${error.code ?? error.message}`
}
