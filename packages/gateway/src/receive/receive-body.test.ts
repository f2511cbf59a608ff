import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { receiveBody } from './receive-body.ts'

function requestOf(pieces: readonly Buffer[]): IncomingMessage {
  return Object.assign(Readable.from(pieces), { headers: {} }) as unknown as IncomingMessage
}

test('a body of single bytes is held in few pieces, and in its order', async () => {
  const whole = Buffer.from(Array.from({ length: 40_000 }, (_, index) => index % 251))
  const pieces = Array.from(whole, (byte) => Buffer.of(byte))
  const body = await receiveBody(requestOf(pieces), 2 ** 20)
  const sent = body.toSend()
  expect(Buffer.concat(sent)).toEqual(whole)
  expect(Buffer.from(body.bytes)).toEqual(whole)
  expect(sent.length).toBeLessThan(5)
})

test('large pieces among small ones keep their place and are not copied', async () => {
  const pieces = [3, 2000, 5, 7, 5000, 900, 16_000].map((size, index) => Buffer.alloc(size, index + 1))
  const body = await receiveBody(requestOf(pieces), 2 ** 20)
  const sent = body.toSend()
  expect(Buffer.concat(sent)).toEqual(Buffer.concat(pieces))
  expect(Buffer.from(body.bytes)).toEqual(Buffer.concat(pieces))
  for (const index of [0, 1, 4, 6]) expect(sent).toContain(pieces[index])
})

test('a body is sent in the pieces it came in, which are let go then, and once more as a copy', async () => {
  const pieces = [2_000, 3_000].map((size, index) => Buffer.alloc(size, index + 1))
  const body = await receiveBody(requestOf(pieces), 2 ** 20)
  const first = body.toSend()
  expect(first).toEqual(pieces)
  first.length = 0
  const again = Buffer.concat(body.toSend())
  expect(again).toEqual(Buffer.concat(pieces))
  // What a socket may still hold is not the memory that the next body is read into.
  body.bytes.fill(9)
  expect(again).toEqual(Buffer.concat(pieces))
})
