import { IncipitError } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import { decodeWhole } from '../http/content-coding.ts'
import { BodyPool } from './body-pool.ts'

/** A body as it is read here, and as it may be sent on. */
export interface ReceivedBody {
  /** All of it in one piece; not to be read after `release`, and never to be given to a socket. */
  readonly bytes: Uint8Array
  /**
   * The same bytes in pieces that may be sent: those they came in the first time, copies after that. The list is
   * the caller's. Nobody here holds on to the pieces: what outlives some young collections costs many times more.
   */
  readonly toSend: () => Uint8Array[]
  /** Gives the memory of `bytes` back. */
  readonly release: () => void
}

const pool = new BodyPool()

/**
 * The whole body, decoded where it says how it is coded, within a limit: a declared length over it is refused
 * before a byte is read.
 *
 * @throws IncipitError `body_too_large`, `client_closed`, `invalid_request` when it is not coded as it says
 * @example const body = await receiveBody(request, 32 * 2 ** 20); try { ... } finally { body.release() }
 */
export async function receiveBody(request: IncomingMessage, maxBytes: number): Promise<ReceivedBody> {
  const coding = request.headers['content-encoding']
  const body = await receivePieces(request, maxBytes)
  if (coding === undefined || coding.toLowerCase() === 'identity') return body
  const decoded = decodeWhole(body.bytes, coding, maxBytes).finally(body.release)
  return ownBody(await decoded)
}

/**
 * The whole body, in memory of its own.
 * @throws IncipitError as `receiveBody` does
 * @example const bytes = await receiveBytes(request, 64 * 1024)
 */
export async function receiveBytes(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const body = await receiveBody(request, maxBytes)
  if (!(body instanceof PooledBody)) return body.bytes
  const bytes = body.bytes.slice()
  body.release()
  return bytes
}

async function receivePieces(request: IncomingMessage, maxBytes: number): Promise<ReceivedBody> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) throw tooLarge(declared, maxBytes)
  const pieces = new Pieces()
  let size = 0
  return new Promise((resolve, reject) => {
    request.on('data', (piece: Buffer) => {
      size += piece.length
      if (size <= maxBytes) {
        pieces.add(piece)
        return
      }
      request.pause()
      request.removeAllListeners('data')
      reject(tooLarge(size, maxBytes))
    })
    let whole = false
    request.on('end', () => {
      whole = true
      resolve(joined(pieces.take(), size))
    })
    // Every request closes: an error is made only where the body is not whole.
    const gone = (cause?: unknown): void => {
      if (whole) return
      reject(new IncipitError('client_closed', `the client went away after ${size} bytes of the body`, { cause }))
    }
    request.on('error', gone)
    request.on('close', () => gone())
  })
}

/** A piece smaller than this is gathered with those that follow it. */
const smallBytes = 1024
const gatheredBytes = 16 * 1024

/** Pieces of a body. A client that sends single bytes would have us hold a hundred times as many as it sends. */
class Pieces {
  #pieces: Buffer[] = []
  #open: Buffer | undefined
  #filled = 0

  add(piece: Buffer): void {
    if (this.#pieces.length === 0 || piece.length >= smallBytes) {
      this.#close()
      this.#pieces.push(piece)
      return
    }
    if (this.#open !== undefined && this.#open.length - this.#filled < piece.length) this.#close()
    this.#open ??= Buffer.allocUnsafeSlow(gatheredBytes)
    this.#filled += piece.copy(this.#open, this.#filled)
  }

  take(): Buffer[] {
    this.#close()
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }

  #close(): void {
    if (this.#open !== undefined) this.#pieces.push(this.#open.subarray(0, this.#filled))
    this.#open = undefined
    this.#filled = 0
  }
}

/** What came in one piece needs no copy. */
function joined(pieces: Buffer[], size: number): ReceivedBody {
  const [only] = pieces
  return only === undefined || pieces.length === 1 ? ownBody(only ?? Buffer.alloc(0)) : new PooledBody(pieces, size)
}

function ownBody(bytes: Uint8Array): ReceivedBody {
  return { bytes, toSend: () => [bytes], release: () => undefined }
}

class PooledBody implements ReceivedBody {
  readonly bytes: Buffer
  #pieces: Buffer[]

  constructor(pieces: Buffer[], size: number) {
    this.bytes = pool.take(size)
    this.#pieces = pieces
    let at = 0
    for (const piece of pieces) at += piece.copy(this.bytes, at)
  }

  readonly toSend = (): Uint8Array[] => {
    const pieces = this.#pieces
    this.#pieces = []
    return pieces.length > 0 ? pieces : [Buffer.from(this.bytes)]
  }

  readonly release = (): void => pool.give(this.bytes)
}

function tooLarge(seen: number, allowed: number): IncipitError {
  return new IncipitError('body_too_large', `the body has at least ${seen} bytes, ${allowed} are allowed`)
}
