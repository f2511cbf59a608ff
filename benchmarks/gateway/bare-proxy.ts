import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Dispatcher } from 'undici'
import { Pool } from 'undici'

/**
 * The least a proxy in Node can do: both bodies stream through, nothing is read. What a gateway costs
 * beside this is what its work costs. Run as a program it serves the origin given on the command line.
 * @example createBareProxy('http://127.0.0.1:9100').listen(0, '127.0.0.1')
 */
export function createBareProxy(upstream: string): Server {
  const pool = new Pool(upstream, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: request.method as Dispatcher.HttpMethod, // a request the server parsed has one
        headers: endToEnd(request.rawHeaders),
        body: hasBody ? request : null,
      },
      new Relay(request, response),
    )
  })
  server.on('close', () => void pool.destroy())
  return server
}

class Relay implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the client left'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#response.destroyed) controller.abort(new Error('the client left'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return
    this.#response.on('drain', () => controller.resume())
    this.#response.writeHead(status, endToEnd(texts(controller.rawHeaders)))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.headersSent) {
      this.#response.destroy(error)
      return
    }
    // What is left of the request must be read, or the connection cannot carry another one.
    this.#request.resume()
    this.#response.writeHead(502, { 'content-type': 'text/plain' }).end(`${error.message}\n`)
  }
}

/** Headers of one connection say nothing about the next one. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function endToEnd(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? ''
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? '')
  }
  return kept
}

function texts(headers: Dispatcher.DispatchController['rawHeaders']): string[] {
  return Array.isArray(headers)
    ? headers.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
    : []
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , upstream] = process.argv
  if (upstream === undefined) throw new Error('usage: node bare-proxy.js http://HOST:PORT')
  const server = createBareProxy(upstream)
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo // a TCP listener
    console.log(JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${port}` }))
  })
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
  })
}
