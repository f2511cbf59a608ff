import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { MessageReader } from './message-reader.ts'
import type { MockAnswer } from './mock-answers.ts'
import { jsonAnswer } from './mock-answers.ts'

/**
 * A model provider that answers every request with the same prepared bytes, on bare sockets so that it
 * costs little beside the gateway in front of it. It shares a process with the load.
 * @example const mock = await MockUpstream.listen(0)
 */
export class MockUpstream {
  /** How requests that end from now on are answered. */
  answer: MockAnswer = jsonAnswer
  /** Collects the bodies that arrive, where set. */
  received: Buffer[] | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  /** @throws Error when the port is taken; 0 = any free one */
  static async listen(port: number): Promise<MockUpstream> {
    const mock = new MockUpstream()
    await new Promise<void>((resolve, reject) => {
      mock.#server.once('error', reject)
      mock.#server.listen(port, '127.0.0.1', 1024, resolve)
    })
    return mock
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo // a TCP listener
    return `http://127.0.0.1:${port}`
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    const reader = new MessageReader('request', {
      head: () => {},
      body: (source, from, to) => {
        if (this.received !== undefined) this.received.push(Buffer.from(source.subarray(from, to)))
      },
      end: () => this.#reply(socket),
    })
    socket.on('data', (bytes: Buffer) => reader.push(bytes))
    // A gateway that drops its connection is no fault of the mock; the load sees what it leads to.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => void this.#sockets.delete(socket))
  }

  #reply(socket: Socket): void {
    const { answer } = this
    if (answer.kind === 'at once') socket.write(answer.bytes)
    else writeSpaced(socket, answer)
  }
}

function writeSpaced(socket: Socket, { head, events, gapMs }: Extract<MockAnswer, { kind: 'spaced' }>): void {
  let next = 1
  socket.write(Buffer.concat([head, events[0] ?? Buffer.alloc(0)]))
  const timer = setInterval(() => {
    const event = events[next++]
    if (event === undefined || socket.destroyed) clearInterval(timer)
    else socket.write(event)
  }, gapMs)
}
