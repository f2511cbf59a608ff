import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { AgentBody } from './agent-body.ts'
import { stamp } from './agent-body.ts'
import { MessageReader } from './message-reader.ts'

/** Where requests go. */
export interface Target {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly path: string
  /** Headers beyond those every request has. */
  readonly headers: readonly string[]
}

/** One answered request; milliseconds of `performance.now()`. */
export interface Answered {
  readonly sentAt: number
  readonly firstByteAt: number
  readonly endedAt: number
  readonly bodyBytes: number
}

/** What a connection tells the load that owns it. */
export interface ConnectionEvents {
  answered(connection: ClientConnection, answer: Answered): void
  failed(error: Error): void
}

const readSize = 64 * 1024
const keptOfRefusal = 400

/**
 * One kept-alive client connection: at most one request at a time, its bytes prepared once, its answers
 * read into one buffer.
 * @example const connection = await ClientConnection.open(target, body, events)
 */
export class ClientConnection {
  /** Copies of the answer's body are appended, where set. */
  received: Buffer[] | undefined
  readonly #socket: Socket
  readonly #request: Buffer
  readonly #stampAt: number
  #busy = false
  #closing = false
  #status = ''
  #refusal = ''
  #sentAt = 0
  #firstByteAt = 0
  #bodyBytes = 0

  private constructor(target: Target, body: AgentBody, events: ConnectionEvents) {
    const head = requestHead(target, body.bytes.length)
    this.#request = Buffer.concat([head, body.bytes])
    this.#stampAt = head.length + body.stampAt
    const fail = (what: string): void => {
      if (!this.#closing) events.failed(new Error(`${target.name}: ${what}`))
    }
    const reader = this.#reader(events, fail)
    this.#socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(readSize),
        callback: (length, buffer) => {
          try {
            reader.push(Buffer.from(buffer.buffer, buffer.byteOffset, length))
          } catch (error) {
            fail(String(error))
            this.#socket.destroy()
          }
          return true
        },
      },
    })
    this.#socket.on('error', (error) => fail(error.message))
    this.#socket.on('close', () => fail(`closed the connection ${this.#busy ? 'during a request' : 'while idle'}`))
  }

  /** Where nobody listens, `events.failed` tells, and the promise stays open. */
  static async open(target: Target, body: AgentBody, events: ConnectionEvents): Promise<ClientConnection> {
    const connection = new ClientConnection(target, body, events)
    await new Promise<void>((resolve) => void connection.#socket.once('connect', resolve))
    return connection
  }

  /** Sends the request under a number; its time runs from `since` where it had to wait for a connection. */
  send(number: number, since: number = performance.now()): void {
    this.#busy = true
    this.#firstByteAt = 0
    this.#bodyBytes = 0
    this.#refusal = ''
    stamp(this.#request, this.#stampAt, number)
    this.#sentAt = since
    this.#socket.write(this.#request)
  }

  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  #reader(events: ConnectionEvents, fail: (what: string) => void): MessageReader {
    return new MessageReader('response', {
      head: (head) => {
        this.#status = head.slice(9, 12)
      },
      body: (source, from, to) => {
        if (this.#bodyBytes === 0) this.#firstByteAt = performance.now()
        this.#bodyBytes += to - from
        this.received?.push(Buffer.from(source.subarray(from, to)))
        if (this.#status !== '200' && this.#refusal.length < keptOfRefusal) {
          this.#refusal += source.toString('utf8', from, Math.min(to, from + keptOfRefusal))
        }
      },
      end: () => {
        this.#busy = false
        if (this.#status !== '200') return fail(`answered ${this.#status}: ${this.#refusal}`)
        events.answered(this, {
          sentAt: this.#sentAt,
          firstByteAt: this.#firstByteAt,
          endedAt: performance.now(),
          bodyBytes: this.#bodyBytes,
        })
      },
    })
  }
}

/** What the official clients send, more or less. */
function requestHead(target: Target, length: number): Buffer {
  const lines = [
    `POST ${target.path} HTTP/1.1`,
    `host: ${target.host}:${target.port}`,
    'accept: application/json',
    'content-type: application/json',
    'user-agent: OpenAI/JS 6.49.0',
    'authorization: Bearer client-key',
    'x-stainless-lang: js',
    'x-stainless-retry-count: 0',
    'accept-encoding: identity',
    'connection: keep-alive',
    ...target.headers,
    `content-length: ${length}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}
