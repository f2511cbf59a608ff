import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Posted } from './support/post.ts'
import { post } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'

const limit = 2 ** 20
let upstream: RecordingUpstream
let gateway: ServerProcess

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const config = `server: { max_body_bytes: ${limit} }\n`
  gateway = await startGateway([{ name: 'oa', url: upstream.url, settings: 'kind: openai, api_key: k' }], { config })
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.close()
})

const body = Buffer.from('{ "model":"m","messages":[{"role":"user","content":"h\\u00e9llo 1.0 \u00e9"}],"x":1e3 }')

/** Written by the zstd command line at level 19. */
const smallZstd = 'KLUv/SRmzQEAogMMEbBrDKddb7wtoiVfMhk0wcATccRBIeduqVvMHG6671wTa0ORryKyq+qwOk96mBoGAQCWpoMC6syP7A=='
const smallText =
  '{"model":"m","messages":[{"role":"user","content":"ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab"}]}'

const codings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => storedZstd(bytes),
}

describe.each(Object.keys(codings))('a body coded as %s', (coding) => {
  const encode = codings[coding] ?? ((bytes: Buffer) => bytes)

  test('arrives decoded and identical, and is not said to be coded', async () => {
    expect((await send(encode(body), coding.toUpperCase())).status).toBe(200)
    const request = upstream.requests.pop()
    expect(request?.body).toEqual(body)
    expect(request?.headers).not.toHaveProperty('content-encoding')
    expect(request?.headers['content-length']).toBe(String(body.length))
  })

  test('of many chunks arrives identical', async () => {
    const long = Buffer.from(`{"model":"m","messages":[{"role":"user","content":"${'words and '.repeat(60_000)}"}]}`)
    expect((await send(encode(long), coding)).status).toBe(200)
    expect(upstream.requests.pop()?.body.equals(long)).toBe(true)
  })

  test('is refused with the numbers when it blows up beyond the limit', async () => {
    const bomb = coding === 'zstd' ? zstdOfSpaces(64 * 2 ** 20) : encode(Buffer.alloc(64 * 2 ** 20, ' '))
    expect(bomb.length).toBeLessThan(limit)
    const answer = await send(bomb, coding)
    expect(answer.status).toBe(413)
    expect(answer.text).toMatch(/has at least (\d+) bytes, 1048576 are allowed/)
    expect(Number(/at least (\d+)/.exec(answer.text)?.[1])).toBeGreaterThan(limit)
  })

  test('is refused in words when it is something else, or ends too early', async () => {
    const whole = encode(body)
    for (const bytes of [body, whole.subarray(0, whole.length - 5), whole.subarray(0, 7)]) {
      const answer = await send(bytes, coding)
      expect(answer.status).toBe(400)
      expect(answer.text).toContain(`the body is not ${coding} as content-encoding says`)
    }
    // Of nothing at all some coding may be right; a body it is not.
    expect((await send(Buffer.alloc(0), coding)).status).toBe(400)
    expect(upstream.requests).toEqual([])
  })
})

test('a body that the zstd command line has written arrives decoded', async () => {
  expect((await send(Buffer.from(smallZstd, 'base64'), 'zstd')).status).toBe(200)
  expect(upstream.requests.pop()?.body.toString()).toBe(smallText)
})

test('a coding that is not read is refused, with those that are', async () => {
  for (const coding of ['compress', 'gzip, br']) {
    const answer = await send(body, coding)
    expect(answer.status).toBe(415)
    expect(answer.text).toContain('read are gzip, deflate, br, zstd')
    expect(answer.text).toContain(coding)
  }
})

test('a body that is declared larger than the limit is refused before it is read', async () => {
  const answer = await send(Buffer.alloc(limit + 1, ' '), 'identity')
  expect(answer.status).toBe(413)
  expect(answer.text).toContain(`at least ${limit + 1} bytes, ${limit} are allowed`)
})

async function send(bytes: Buffer, coding: string): Promise<Posted> {
  return post(`${gateway.url}/v1/chat/completions`, bytes, { 'content-encoding': coding })
}

const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd]
/** A window of 1 MiB, no content size, no checksum. */
const zstdHead = Buffer.from([...zstdMagic, 0x00, 0x50])
const largestBlock = 2 ** 17

/** A frame of raw blocks (RFC 8878, 3.1.1.2): this Node may not be able to write any other. */
function storedZstd(bytes: Buffer): Buffer {
  const parts: Buffer[] = [zstdHead]
  for (let at = 0; at < bytes.length; at += largestBlock) {
    const block = bytes.subarray(at, at + largestBlock)
    parts.push(blockHead({ size: block.length, type: 0, isLast: at + largestBlock >= bytes.length }), block)
  }
  return Buffer.concat(parts)
}

/** A frame that says "a space" once for each block. */
function zstdOfSpaces(size: number): Buffer {
  const parts: Buffer[] = [zstdHead]
  for (let at = 0; at < size; at += largestBlock) {
    parts.push(blockHead({ size: largestBlock, type: 1, isLast: at + largestBlock >= size }), Buffer.from(' '))
  }
  return Buffer.concat(parts)
}

function blockHead({ size, type, isLast }: { size: number; type: 0 | 1; isLast: boolean }): Buffer {
  const head = Buffer.alloc(3)
  head.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3)
  return head
}
