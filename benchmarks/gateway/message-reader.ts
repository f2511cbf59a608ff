/** What a reader reports of each message, in this order; `body` any number of times. */
export interface MessageEvents {
  /** Start line and headers, without the blank line behind them. */
  head(head: string): void
  /** Bytes `from` up to `to` of `source`, which is only valid during the call. */
  body(source: Buffer, from: number, to: number): void
  end(): void
}

type Expecting = 'head' | 'fixed' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer'

const endOfHead = Buffer.from('\r\n\r\n')
const lineFeed = 0x0a
const longestHead = 64 * 1024

/**
 * Finds where HTTP/1.1 messages begin and end on a kept-alive connection, and nothing more: bodies by
 * content-length or in chunks, interim answers skipped. It trusts its peers, so it can be much cheaper
 * than what it measures; it is no parser for the open internet.
 * @throws Error from `push` on anything it cannot frame
 * @example new MessageReader('response', { head, body, end }).push(bytes)
 */
export class MessageReader {
  readonly #kind: 'request' | 'response'
  readonly #events: MessageEvents
  #expecting: Expecting = 'head'
  #left = 0
  /** A head or line of which the rest has not come. */
  #begun: Buffer | undefined

  constructor(kind: 'request' | 'response', events: MessageEvents) {
    this.#kind = kind
    this.#events = events
  }

  /** Reads on; `bytes` may be overwritten afterwards. */
  push(bytes: Buffer): void {
    const source = this.#begun === undefined ? bytes : Buffer.concat([this.#begun, bytes])
    this.#begun = undefined
    let at = 0
    while (at < source.length) {
      const next = this.#step(source, at)
      if (next === at) {
        this.#begun = Buffer.from(source.subarray(at))
        return
      }
      at = next
    }
  }

  /** Returns where to go on; `at` itself where more bytes are needed. */
  #step(source: Buffer, at: number): number {
    switch (this.#expecting) {
      case 'head':
        return this.#readHead(source, at)
      case 'chunk size':
        return this.#readChunkSize(source, at)
      case 'chunk end':
        if (source.length < at + 2) return at
        this.#expecting = 'chunk size'
        return at + 2
      case 'trailer':
        return this.#readTrailer(source, at)
      default:
        return this.#readBody(source, at)
    }
  }

  #readHead(source: Buffer, at: number): number {
    const end = source.indexOf(endOfHead, at)
    if (end === -1) {
      if (source.length - at > longestHead) throw new Error(`a head of more than ${longestHead} bytes`)
      return at
    }
    const head = source.toString('latin1', at, end)
    if (this.#isInterim(head)) return end + endOfHead.length
    const framing = this.#framing(head)
    this.#events.head(head)
    if (framing === 'chunked') {
      this.#expecting = 'chunk size'
    } else if (framing === 0) {
      this.#events.end()
    } else {
      this.#expecting = 'fixed'
      this.#left = framing
    }
    return end + endOfHead.length
  }

  #readBody(source: Buffer, at: number): number {
    const end = Math.min(source.length, at + this.#left)
    this.#left -= end - at
    this.#events.body(source, at, end)
    if (this.#left > 0) return end
    if (this.#expecting === 'chunk') this.#expecting = 'chunk end'
    else this.#finish()
    return end
  }

  #readChunkSize(source: Buffer, at: number): number {
    const end = source.indexOf(lineFeed, at)
    if (end === -1) return at
    const size = Number.parseInt(source.toString('latin1', at, end), 16)
    if (Number.isNaN(size)) throw new Error('a chunk without a size')
    this.#left = size
    this.#expecting = size === 0 ? 'trailer' : 'chunk'
    return end + 1
  }

  #readTrailer(source: Buffer, at: number): number {
    const end = source.indexOf(lineFeed, at)
    if (end === -1) return at
    if (end - at <= 1) this.#finish()
    return end + 1
  }

  #finish(): void {
    this.#expecting = 'head'
    this.#events.end()
  }

  #isInterim(head: string): boolean {
    return this.#kind === 'response' && head.startsWith('HTTP/1.1 1')
  }

  #framing(head: string): number | 'chunked' {
    const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)
    if (length !== null) return Number(length[1])
    if (/\r\ntransfer-encoding:[ \t]*chunked/i.test(head)) return 'chunked'
    if (this.#kind === 'request' || /^HTTP\/1\.1 (?:204|304)/.test(head)) return 0
    throw new Error('an answer with neither content-length nor chunks')
  }
}
