import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as zlib from 'node:zlib'
import { decoderFor, decodeWhole, isKnownCoding, knownCodings } from './content-coding.ts'
import { storedZstd } from './testing/stored-zstd.ts'

const encoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  'x-gzip': (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: storedZstd,
}
const codings = Object.keys(encoders)

test('every known coding has a decoder, others have none', () => {
  for (const name of [...knownCodings, 'GZIP', ' br ']) {
    expect(isKnownCoding(name)).toBe(true)
    const decoder = decoderFor(name, { onData: () => true, onDrain: () => 0, onEnd: () => 0, onError: () => 0 })
    expect(decoder).toBeDefined()
    decoder?.destroy()
  }
  for (const name of [undefined, 'identity', 'compress']) {
    expect(decoderFor(name, { onData: () => true, onDrain: () => 0, onEnd: () => 0, onError: () => 0 })).toBeUndefined()
    expect(isKnownCoding(name ?? '')).toBe(false)
  }
})

test('what was encoded is decoded, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...codings),
      fc.uint8Array({ maxLength: 5_000 }),
      fc.integer({ min: 1, max: 700 }),
      async (coding, bytes, size) => {
        const encoded = encoders[coding]?.(Buffer.from(bytes)) ?? Buffer.alloc(0)
        expect(await decodeInChunks(coding, encoded, size)).toEqual(Buffer.from(bytes))
      },
    ),
    { numRuns: 120 },
  )
})

test.each(codings)('%s that is none, or that is cut off, is an error', async (coding) => {
  await expect(decodeInChunks(coding, Buffer.from('{"not":"encoded"}'), 5)).rejects.toBeInstanceOf(Error)
  const encoded = encoders[coding]?.(Buffer.alloc(5_000, 'text ')) ?? Buffer.alloc(0)
  await expect(decodeInChunks(coding, encoded.subarray(0, encoded.length - 4), 64)).rejects.toBeInstanceOf(Error)
})

test.each(codings)('%s pauses where its reader has had enough, and loses nothing', async (coding) => {
  const bytes = Buffer.alloc(3 * 2 ** 20, 'words and words ')
  const encoded = encoders[coding]?.(bytes) ?? Buffer.alloc(0)
  const taken: Buffer[] = []
  let pauses = 0
  let isPaused = false
  await new Promise<void>((resolve, reject) => {
    const decoder = decoderFor(coding, {
      onData: (chunk) => {
        // The one that works in the caller's thread hands out all that a chunk gave.
        if (isPaused && coding !== 'zstd') reject(new Error('data while it is paused'))
        taken.push(chunk)
        pauses++
        isPaused = true
        setImmediate(() => {
          isPaused = false
          decoder?.resume()
        })
        return false
      },
      onDrain: () => undefined,
      onEnd: resolve,
      onError: reject,
    })
    decoder?.push(encoded)
    decoder?.end()
  })
  expect(pauses).toBeGreaterThan(1)
  expect(Buffer.concat(taken).equals(bytes)).toBe(true)
})

test('a small body cannot be blown up past the limit', async () => {
  for (const coding of ['gzip', 'deflate', 'br']) {
    const bomb = encoders[coding]?.(Buffer.alloc(20 * 2 ** 20)) ?? Buffer.alloc(0)
    expect(bomb.length).toBeLessThan(50_000)
    await expect(decodeWhole(bomb, coding, 2 ** 20)).rejects.toMatchObject({ code: 'body_too_large' })
  }
})

async function decodeInChunks(coding: string, encoded: Buffer, size: number): Promise<Buffer> {
  const taken: Buffer[] = []
  return new Promise((resolve, reject) => {
    const decoder = decoderFor(coding, {
      onData: (chunk) => void taken.push(chunk),
      onDrain: () => undefined,
      onEnd: () => resolve(Buffer.concat(taken)),
      onError: reject,
    })
    for (let at = 0; at < encoded.length; at += size) decoder?.push(encoded.subarray(at, at + size))
    decoder?.end()
  })
}
