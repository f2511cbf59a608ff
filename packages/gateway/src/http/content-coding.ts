import { IncipitError } from '@incipit/core'
import { Decompress as ZstdDecompress } from 'fzstd'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** Undoes a content coding, chunk by chunk. */
export interface Decoder {
  /** Gives decoded bytes to `onData`, now or later. `false` = no more for now; `onDrain` says when. */
  push(chunk: Buffer): boolean
  /** Goes on after `onData` has asked for a pause. */
  resume(): void
  end(): void
  destroy(): void
}

export interface DecoderEvents {
  /** `false` = no more for now; `resume` of the decoder goes on. */
  readonly onData: (chunk: Buffer) => boolean | void
  readonly onDrain: () => void
  readonly onEnd: () => void
  readonly onError: (error: Error) => void
}

/** Room for a few chunks of a socket: a pause for each of them costs more than it is worth. */
const roomy = { chunkSize: 65_536, highWaterMark: 262_144 }

/**
 * A decoder for a `content-encoding`; `undefined` for identity and for what is not known.
 * @example const decoder = decoderFor('gzip', events)
 */
export function decoderFor(encoding: string | undefined, events: DecoderEvents): Decoder | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return ofTransform(zlib.createGunzip(roomy), events)
    case 'deflate':
      return ofTransform(zlib.createInflate(roomy), events)
    case 'br':
      return ofTransform(zlib.createBrotliDecompress(roomy), events)
    case 'zstd':
      return zstd(events)
    default:
      return undefined
  }
}

/** Whether `decoderFor` has a decoder for it. */
export function isKnownCoding(encoding: string): boolean {
  return ['x-gzip', ...knownCodings].includes(encoding.trim().toLowerCase())
}

/** Codings that are undone, in the words of `content-encoding`. */
export const knownCodings: readonly string[] = ['gzip', 'deflate', 'br', 'zstd']

/**
 * The decoded bytes of a whole request body, within a limit that a small body cannot be blown up past.
 * @throws IncipitError `body_too_large`, `invalid_request`
 */
export async function decodeWhole(body: Uint8Array, encoding: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    const refuse = (error: IncipitError): void => {
      decoder?.destroy()
      reject(error)
    }
    const decoder = decoderFor(encoding, {
      onData: (chunk) => {
        size += chunk.length
        if (size <= maxBytes) chunks.push(chunk)
        else
          refuse(
            new IncipitError('body_too_large', `the decoded body has at least ${size} bytes, ${maxBytes} are allowed`),
          )
      },
      onDrain: () => undefined,
      onEnd: () => resolve(Buffer.concat(chunks, size)),
      onError: (cause) =>
        refuse(new IncipitError('invalid_request', `the body is not ${encoding} as content-encoding says`, { cause })),
    })
    if (decoder === undefined)
      refuse(new IncipitError('unsupported_media_type', `content-encoding is not one of ${knownCodings.join(', ')}`))
    decoder?.push(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
    decoder?.end()
  })
}

function ofTransform(transform: Transform, events: DecoderEvents): Decoder {
  transform.on('data', (chunk: Buffer) => {
    if (events.onData(chunk) === false) transform.pause()
  })
  transform.on('drain', events.onDrain)
  transform.on('end', events.onEnd)
  transform.on('error', events.onError)
  return {
    push: (chunk) => transform.write(chunk),
    resume: () => void transform.resume(),
    end: () => transform.end(),
    destroy: () => void transform.destroy(),
  }
}

/** Largest window a frame may ask for: it is memory taken before anything is known of the content. */
const largestWindow = 128 * 2 ** 20

/** In the caller's thread where node:zlib does not know zstd (before Node 22.15). */
function zstd(events: DecoderEvents): Decoder {
  const native: unknown = Reflect.get(zlib, 'createZstdDecompress')
  if (typeof native === 'function') return ofTransform(native(roomy) as Transform, events) // zlib's factories give transforms
  let dead = false
  let full = false
  let head = Buffer.alloc(0)
  const stream = new ZstdDecompress((chunk) => {
    // Whoever has had enough ends the work too, not only the reading.
    if (dead) throw new Error('stopped')
    if (chunk.length === 0) return
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (events.onData(bytes) === false) full = true
  })
  const guarded = (run: () => void): void => {
    if (dead) return
    try {
      run()
    } catch (error) {
      if (dead) return
      dead = true
      events.onError(error as Error) // the library throws errors
    }
  }
  const checkWindow = (chunk: Buffer): void => {
    if (head.length >= zstdHeadBytes) return
    head = Buffer.concat([head, chunk.subarray(0, zstdHeadBytes)])
    if (windowOf(head) > largestWindow) throw new Error('the window of the frame is too large')
  }
  return {
    push: (chunk) => {
      guarded(() => {
        checkWindow(chunk)
        stream.push(chunk)
      })
      return !full
    },
    resume: () => {
      full = false
      events.onDrain()
    },
    end: () => {
      guarded(() => stream.push(new Uint8Array(0), true))
      if (!dead) events.onEnd()
    },
    destroy: () => {
      dead = true
    },
  }
}

/** Magic number, descriptor, and what may follow up to the content size (RFC 8878, section 3.1.1.1). */
const zstdHeadBytes = 14

/** The window, or the content size that stands for it, that a frame's head asks for; 0 while it is not known. */
function windowOf(head: Buffer): number {
  const descriptor = head[4]
  if (descriptor === undefined || head.length < 6) return 0
  const single = (descriptor & 0x20) !== 0
  if (!single) {
    const window = head[5] ?? 0
    const base = 2 ** (10 + (window >> 3))
    return base + (base / 8) * (window & 7)
  }
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0)
  const bytes = [1, 2, 4, 8][descriptor >> 6] ?? 1
  if (head.length < at + bytes) return 0
  return bytes === 8 ? Number(head.readBigUInt64LE(at)) : head.readUIntLE(at, bytes)
}
