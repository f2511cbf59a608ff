import { createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'

/** A proxy of HTTP on this machine. */
export interface ConnectProxy {
  readonly url: string
  /** Where tunnels and requests went: `host:port`. */
  readonly passed: string[]
  close(): Promise<void>
}

/** Starts a proxy that opens tunnels (`CONNECT`) and passes plain requests on. */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const passed: string[] = []
  const server = createServer((incoming, outgoing) => {
    const target = new URL(incoming.url ?? '')
    passed.push(target.host)
    const onward = request(target, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  const sockets = new Set<Socket>()
  server.on('connect', (incoming, socket: Socket, head: Buffer) => {
    passed.push(incoming.url ?? '')
    const [host, port] = (incoming.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.write(head)
      onward.pipe(socket)
      socket.pipe(onward)
    })
    for (const end of [socket, onward]) {
      sockets.add(end)
      end.on('error', () => end.destroy())
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    passed,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
