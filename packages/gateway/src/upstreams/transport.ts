import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { EnvHttpProxyAgent, Pool, ProxyAgent } from 'undici'
import type { Dispatcher } from 'undici'
import type { UpstreamSettings } from '../config/upstream-settings.ts'
import { UpstreamAnswer } from './upstream-answer.ts'
import type { CancelSignal } from '../http/cancellation.ts'

/** One request to a replica. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path and query. */
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  /** In pieces, in order; none = no body. What has been sent is taken out: nobody holds it while the answer is made. */
  readonly body: Uint8Array[]
}

/** Connections to one origin. */
export interface Transport {
  /**
   * Sends a request and resolves when the head of its answer is there, whatever its status.
   * @throws {UpstreamFailure} when there is none; the reason of `signal` when that ends it
   */
  send(request: UpstreamRequest, signal: CancelSignal): Promise<UpstreamAnswer>
  close(): Promise<void>
}

type TransportSettings = Pick<UpstreamSettings, 'timeouts' | 'maxConnections' | 'proxy' | 'caFile' | 'maxAnswerBytes'>

/**
 * A pool of connections to an origin, over the proxy of the upstream, else that of the environment.
 * @throws Error when the file of certificates cannot be read
 * @example const transport = openTransport('https://api.openai.com', settings)
 */
export function openTransport(origin: string, settings: TransportSettings): Transport {
  const dispatcher = openDispatcher(origin, settings)
  const { firstByteMs, idleMs } = settings.timeouts
  return {
    send: (request, signal) =>
      new Promise((resolve, reject) => {
        const answer = new UpstreamAnswer({ signal, maxBytes: settings.maxAnswerBytes, resolve, reject })
        dispatcher.dispatch(
          {
            origin,
            path: request.path,
            method: request.method,
            ...bodyOf(request),
            headersTimeout: firstByteMs,
            bodyTimeout: idleMs,
          },
          answer,
        )
      }),
    close: () => dispatcher.close(),
  }
}

/** One piece goes as it is; of several the length must be said, or they would be sent as chunks. */
function bodyOf({ body, headers }: UpstreamRequest): Pick<Dispatcher.DispatchOptions, 'headers' | 'body'> {
  const [only, second] = body
  if (second === undefined) return { headers, body: only ?? null }
  const length = body.reduce((sum, piece) => sum + piece.length, 0)
  // Its types know no list of pieces, its documentation does: any iterable of buffers is a body.
  const pieces = taken(body) as unknown as Dispatcher.DispatchOptions['body']
  return { headers: [...headers, 'content-length', String(length)], body: pieces ?? null }
}

function* taken(pieces: Uint8Array[]): Generator<Uint8Array, void> {
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) yield piece
}

function openDispatcher(origin: string, settings: TransportSettings): Dispatcher {
  const connect = {
    timeout: settings.timeouts.connectMs,
    keepAlive: true,
    ...(settings.caFile === undefined ? {} : { ca: [...rootCertificates, readFileSync(settings.caFile, 'utf8')] }),
  }
  const pool = { connections: settings.maxConnections, pipelining: 1, keepAliveTimeout: 30_000 }
  if (settings.proxy !== undefined) {
    return new ProxyAgent({ ...pool, uri: settings.proxy, requestTls: connect, proxyTls: connect })
  }
  if (proxyInEnvironment()) return new EnvHttpProxyAgent({ ...pool, connect, requestTls: connect })
  return new Pool(origin, { ...pool, connect })
}

function proxyInEnvironment(): boolean {
  return ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'].some((name) => (process.env[name] ?? '') !== '')
}
