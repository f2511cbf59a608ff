import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

/** Encodes a body piece by piece; what went in can be decoded as soon as it is out. */
export interface BodyEncoder {
  /** The value of `content-encoding`. */
  readonly name: string
  write(bytes: Buffer): Promise<Buffer>
  end(): Promise<Buffer>
}

type Compressor = zlib.Gzip | zlib.Deflate | zlib.BrotliCompress

/**
 * @throws Error for `zstd` where this Node has none: `hasZstd` tells
 * @example const encoder = bodyEncoder('gzip'); await encoder.write(Buffer.from('text'))
 */
export function bodyEncoder(name: 'gzip' | 'deflate' | 'br' | 'zstd'): BodyEncoder {
  const stream = compressor(name)
  const pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => void pieces.push(piece))
  const taken = (): Buffer => Buffer.concat(pieces.splice(0))
  const flush = promisify((done: (error: Error | null) => void) => stream.flush(() => done(null)))
  return {
    name,
    write: async (bytes) => {
      stream.write(bytes)
      await flush()
      return taken()
    },
    end: async () => {
      await new Promise<void>((resolve) => void stream.once('end', () => resolve()).end())
      return taken()
    },
  }
}

/** Whether this Node can encode with zstd. */
export function hasZstd(): boolean {
  return zstdCompress() !== undefined
}

function compressor(name: 'gzip' | 'deflate' | 'br' | 'zstd'): Compressor {
  if (name === 'gzip') return zlib.createGzip()
  if (name === 'deflate') return zlib.createDeflate()
  if (name === 'br') return zlib.createBrotliCompress()
  const create = zstdCompress()
  if (create === undefined)
    throw new Error(`content-encoding zstd needs Node 22.15 or newer, this is ${process.version}`)
  return create()
}

function zstdCompress(): (() => Compressor) | undefined {
  // The types are those of the oldest supported Node, which has no zstd.
  return (zlib as unknown as { createZstdCompress?: () => Compressor }).createZstdCompress
}
