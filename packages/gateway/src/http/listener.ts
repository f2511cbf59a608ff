import { IncipitError } from '@incipit/core'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Cancellation } from './cancellation.ts'
import type { ErrorRenderer, Exchange } from './exchange.ts'
import { sendError } from './exchange.ts'
import { newRequestId } from './request-id.ts'
import type { Router } from './router.ts'

/** What a route leads to. */
export interface Handler {
  /** Who speaks here: errors before and outside the handler leave in this dialect. */
  readonly error: ErrorRenderer
  handle(exchange: Exchange): Promise<void>
}

export interface ListenerOptions {
  readonly router: Router<Handler>
  /** Renders errors of paths that lead nowhere. */
  readonly errorFor: (path: string) => ErrorRenderer
  readonly maxHeaderBytes: number
  readonly maxConnections: number
  readonly requestTimeoutMs: number
  readonly onUnexpected: (error: unknown, exchange: Exchange) => IncipitError
}

/** How long a client may take to send its head. */
const headersTimeoutMs = 20_000
const keepAliveTimeoutMs = 75_000
/** Requests of one connection that may wait for their answers: who sends more ahead is cut off. */
const mostAhead = 128

/**
 * The HTTP server: limits, routing, abort signals, and a shutdown that lets answers finish.
 * @example const listener = new Listener(options); const url = await listener.listen('127.0.0.1', 4141)
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  /** The requests of each connection that are being served. */
  readonly #running = new Map<Socket, Set<RunningRequest>>()
  #closing = false

  constructor(options: ListenerOptions) {
    this.#options = options
    const { maxHeaderBytes, requestTimeoutMs, maxConnections } = options
    this.#server = createServer(
      {
        maxHeaderSize: maxHeaderBytes,
        headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        noDelay: true,
      },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.maxConnections = maxConnections
    // The limit is in bytes; a limit in headers would drop what stands behind it, silently.
    this.#server.maxHeadersCount = 0
    this.#server.on('clientError', (error, socket: Socket) => {
      // In the midst of an answer any text of ours would be taken for a part of it.
      const isAnswering = [...(this.#running.get(socket) ?? [])].some(({ response }) => response.headersSent)
      if (isAnswering) socket.destroy()
      else answerBrokenRequest(error, socket)
    })
    this.#server.on('connection', (socket: Socket) => {
      const running = new Set<RunningRequest>()
      this.#running.set(socket, running)
      socket.on('close', () => {
        this.#running.delete(socket)
        // Answers that wait behind another one on their connection are not told that it is gone.
        for (const { cancellation } of running) cancellation.abort(clientGone())
      })
    })
  }

  /** @returns the base URL @throws the system's error when the address cannot be listened on */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const address = this.#server.address() as AddressInfo // a TCP server that listens has one
    const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
    return `http://${shown}:${address.port}`
  }

  /** True once `close` has been called: readiness says so before the last answers are out. */
  get closing(): boolean {
    return this.#closing
  }

  /** From now on readiness fails, so that load balancers look elsewhere. */
  drain(): void {
    this.#closing = true
  }

  /** Stops listening, lets answers finish for `graceMs`, then ends the rest with `shutting_down`. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()))
    this.#closeIdle()
    const cut = setTimeout(() => {
      for (const { cancellation } of [...this.#running.values()].flatMap((requests) => [...requests])) {
        cancellation.abort(new IncipitError('shutting_down', 'the gateway is shutting down'))
      }
      setTimeout(() => this.#server.closeAllConnections(), 2_000).unref()
    }, graceMs)
    await closed
    clearTimeout(cut)
  }

  /** Clients open connections ahead of need: one that has not sent a byte counts as idle too. */
  #closeIdle(): void {
    this.#server.closeIdleConnections()
    for (const socket of this.#running.keys()) if (socket.bytesRead === 0) socket.destroy()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    if (socket.destroyed) return
    if ((this.#running.get(socket)?.size ?? 0) >= mostAhead) {
      socket.destroy()
      return
    }
    const cancellation = new Cancellation()
    const path = pathOf(request)
    const match = this.#options.router.match(request.method ?? 'GET', path)
    const params = match.kind === 'found' ? match.params : {}
    const exchange = new ServedExchange({ request, response, params, signal: cancellation })
    this.#track(socket, { response, cancellation })
    response.setHeader('x-incipit-request-id', exchange.id)
    response.setHeader('x-request-id', exchange.id)
    if (this.#closing) response.setHeader('connection', 'close')
    const handler =
      match.kind === 'found' ? match.target : refusing(match, request.method ?? '', this.#options.errorFor(path))
    try {
      await handler.handle(exchange)
    } catch (error) {
      sendError(exchange, this.#options.onUnexpected(error, exchange), handler.error)
    }
  }

  #track(socket: Socket, running: RunningRequest): void {
    const { response, cancellation } = running
    this.#running.get(socket)?.add(running)
    response.on('close', () => {
      this.#running.get(socket)?.delete(running)
      // A connection that was busy when the shutdown began has become idle: nobody else would close it.
      if (this.#closing) setImmediate(() => this.#closeIdle())
      if (response.writableFinished) return
      cancellation.abort(clientGone())
    })
    response.on('error', () => response.destroy())
  }
}

class ServedExchange implements Exchange {
  readonly id: Exchange['id'] = newRequestId()
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly params: Exchange['params']
  readonly signal: Exchange['signal']
  readonly receivedAt: number = performance.now()

  constructor({ request, response, params, signal }: Pick<Exchange, 'request' | 'response' | 'params' | 'signal'>) {
    this.request = request
    this.response = response
    this.params = params
    this.signal = signal
  }

  /** Few ask for it, and it takes longer to make than all the rest. */
  get url(): URL {
    return urlOf(this.request)
  }
}

interface RunningRequest {
  readonly response: ServerResponse
  readonly cancellation: Cancellation
}

function clientGone(): IncipitError {
  return new IncipitError('client_closed', 'the client went away')
}

/** The path as sent; a target in absolute form, as for a proxy, is taken by its path. */
function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '/'
  if (!target.startsWith('/')) return urlOf(request).pathname
  return target.split('?', 1)[0] ?? '/'
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://gateway')
  } catch {
    return new URL('http://gateway/')
  }
}

function refusing(
  match: { readonly kind: 'unknown' } | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] },
  method: string,
  error: ErrorRenderer,
): Handler {
  return {
    error,
    handle: (exchange) => {
      const path = exchange.url.pathname.slice(0, 200)
      if (match.kind === 'unknown') throw new IncipitError('unknown_route', `there is nothing at ${path}`)
      exchange.response.setHeader('allow', match.allowed.join(', '))
      throw new IncipitError('wrong_method', `${method} is not possible at ${path}, ${match.allowed.join(', ')} is`)
    },
  }
}

/** What Node could not read as a request never reaches a route: it is answered on the bare socket. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, code, message] = brokenRequest(error.code)
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function brokenRequest(code: string | undefined): readonly [number, string, string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return [431, 'header_too_large', 'The headers are larger than server.max_header_bytes allows.']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return [408, 'request_timeout', 'The request took longer to arrive than server.request_timeout_seconds allows.']
  return [400, 'invalid_request', 'The bytes received are not an HTTP request.']
}
