import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** A request as it came out of the gateway's socket, as text of one character for each byte. */
export interface RawRequest {
  readonly head: string
  readonly body: string
}

/** An upstream that writes bytes instead of answers. */
export interface RawUpstream {
  readonly url: string
  readonly requests: RawRequest[]
  answer: (socket: Socket, request: RawRequest) => void
  close(): Promise<void>
}

/**
 * Starts an upstream on this machine that reads requests of a declared length and answers with whatever bytes it is
 * told, HTTP or not.
 * @example const upstream = await startRawUpstream(); upstream.answer = (socket) => socket.write('HTTP/1.1 999 X')
 */
export async function startRawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let waiting = ''
    socket.on('data', (chunk: Buffer) => {
      waiting += chunk.toString('latin1')
      for (let next = firstRequest(waiting); next !== undefined; next = firstRequest(waiting)) {
        waiting = waiting.slice(next.length)
        upstream.requests.push(next.request)
        upstream.answer(socket, next.request)
      }
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP
  const upstream: RawUpstream = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    answer: (socket) => void socket.destroy(),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return upstream
}

function firstRequest(text: string): { readonly request: RawRequest; readonly length: number } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const length = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return text.length < length ? undefined : { request: { head, body: text.slice(end + 4, length) }, length }
}

/** A whole answer of HTTP. */
export function wholeAnswer(body: string, headers: readonly string[] = [], status = '200 OK'): string {
  const all = ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`, ...headers]
  return `HTTP/1.1 ${status}\r\n${all.join('\r\n')}\r\n\r\n${body}`
}

/** Sends bytes on a connection of its own; resolves with all that comes back, when it closes or `isEnough`. */
export async function sendRaw(
  url: string,
  bytes: string | readonly string[],
  isEnough: (received: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    let received = ''
    const parts = typeof bytes === 'string' ? [bytes] : [...bytes]
    const next = (): void => {
      const part = parts.shift()
      if (part !== undefined) socket.write(part, 'latin1')
    }
    socket.on('connect', next)
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      // Each further part answers what has come so far.
      if (parts.length > 0) next()
      else if (isEnough(received)) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(received))
  })
}
