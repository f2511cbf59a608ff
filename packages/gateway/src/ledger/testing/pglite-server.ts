import { PGlite } from '@electric-sql/pglite'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'

/** PostgreSQL in this process, for as many connections as come; they share one session, one transaction at a time. */
export interface PgliteServer {
  readonly url: string
  readonly database: PGlite
  close(): Promise<void>
}

/** @example const server = await startPglite(); const ledger = await openLedger({ url: server.url, file }) */
export async function startPglite(): Promise<PgliteServer> {
  const database = await PGlite.create()
  const session = new SharedSession(database)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, session)
  })
  await listening(server)
  const { port } = server.address() as AddressInfo // it listens on TCP
  return {
    url: `postgres://postgres:secret@127.0.0.1:${port}/postgres?sslmode=disable`,
    database,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await session.idle()
      await database.close()
    },
  }
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}

/** Gives the one session to one connection after the other, each until its transaction is over. */
class SharedSession {
  readonly #database: PGlite
  #last: Promise<unknown> = Promise.resolve()
  #holder: Socket | undefined
  readonly #waiting: { readonly socket: Socket; readonly start: () => void }[] = []

  constructor(database: PGlite) {
    this.#database = database
  }

  async send(socket: Socket, message: Uint8Array): Promise<Uint8Array> {
    if (this.#holder !== undefined && this.#holder !== socket) {
      await new Promise<void>((start) => this.#waiting.push({ socket, start }))
    }
    this.#holder = socket
    const answer = await this.#exclusively(() => this.#database.execProtocolRaw(message))
    // ReadyForQuery is the last message, and its last byte says whether a transaction is under way.
    if (answer.at(-6) === 0x5a && answer.at(-1) === idleByte) this.#release()
    return answer
  }

  /** A connection is gone: what it had begun is undone. */
  async leave(socket: Socket): Promise<void> {
    if (this.#holder !== socket) return
    await this.#exclusively(() => this.#database.exec('ROLLBACK'))
    this.#release()
  }

  async idle(): Promise<void> {
    await this.#last
  }

  #release(): void {
    const next = this.#waiting.shift()
    this.#holder = next?.socket
    next?.start()
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

const idleByte = 'I'.charCodeAt(0)
/** What ends a round: a simple query, a sync; everything before it is sent along. */
const roundEnds = new Set(['Q', 'S'].map((type) => type.charCodeAt(0)))

function serve(socket: Socket, session: SharedSession): void {
  let bytes = Buffer.alloc(0)
  let greeted = false
  let round: Buffer[] = []
  let last: Promise<void> = Promise.resolve()
  const answerAfter = async (before: Promise<void>, message: Buffer): Promise<void> => {
    await before
    const answer = await session.send(socket, message)
    if (!socket.destroyed) socket.write(answer)
  }
  const ask = (message: Buffer): void => {
    last = answerAfter(last, message)
    last.catch(() => socket.destroy())
  }
  socket.on('data', (more) => {
    bytes = Buffer.concat([bytes, more])
    for (;;) {
      const head = greeted ? 1 : 0
      if (bytes.length < head + 4) return
      const length = head + bytes.readUInt32BE(head)
      if (bytes.length < length) return
      const message = bytes.subarray(0, length)
      bytes = bytes.subarray(length)
      if (!greeted) {
        greeted = true
        ask(Buffer.from(message))
      } else if (message[0] === 'X'.charCodeAt(0)) socket.end()
      else {
        round.push(Buffer.from(message))
        if (!roundEnds.has(message[0] ?? 0) && message[0] !== 'p'.charCodeAt(0)) continue
        ask(Buffer.concat(round))
        round = []
      }
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => void last.catch(() => undefined).then(() => session.leave(socket)))
}
