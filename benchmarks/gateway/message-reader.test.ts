import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MessageReader } from './message-reader.ts'

const fixed = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const chunked =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: 1\r\n\r\n'
const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
const empty = 'HTTP/1.1 204 No Content\r\nx: y\r\n\r\n'

test('a connection cut at any bytes holds the same messages', () => {
  const wire = Buffer.from(fixed + interim + chunked + empty + fixed)
  const whole = read('response', [wire])
  expect(whole.map((message) => message.body)).toEqual(['hello', 'abc0123456789', '', 'hello'])
  fc.assert(
    fc.property(fc.array(fc.nat(wire.length), { maxLength: 12 }), (cuts) => {
      expect(read('response', pieces(wire, cuts))).toEqual(whole)
    }),
  )
})

test('a reused buffer does not change what was already read', () => {
  const shared = Buffer.alloc(7)
  const messages: Message[] = []
  const reader = readerInto('response', messages)
  for (const piece of pieces(Buffer.from(fixed), [7, 14, 21, 28, 35, 42])) {
    piece.copy(shared)
    reader.push(shared.subarray(0, piece.length))
    shared.fill('#')
  }
  expect(messages).toEqual([{ head: 'HTTP/1.1 200 OK\r\nContent-Length: 5', body: 'hello' }])
})

test('a request without a length has no body, an answer without one is refused', () => {
  expect(read('request', [Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')])).toHaveLength(1)
  expect(() => read('response', [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')])).toThrow('neither content-length nor chunks')
})

test('a chunk without a size is refused', () => {
  const wire = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n'
  expect(() => read('response', [Buffer.from(wire)])).toThrow('a chunk without a size')
})

interface Message {
  readonly head: string
  readonly body: string
}

function read(kind: 'request' | 'response', wire: readonly Buffer[]): Message[] {
  const messages: Message[] = []
  const reader = readerInto(kind, messages)
  for (const piece of wire) reader.push(piece)
  return messages
}

function readerInto(kind: 'request' | 'response', messages: Message[]): MessageReader {
  let head = ''
  let body = ''
  return new MessageReader(kind, {
    head: (text) => {
      head = text
      body = ''
    },
    body: (source, from, to) => {
      body += source.toString('latin1', from, to)
    },
    end: () => void messages.push({ head, body }),
  })
}

function pieces(wire: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...[...cuts].sort((a, b) => a - b), wire.length]
  return at.slice(1).map((end, index) => wire.subarray(at[index], end))
}
