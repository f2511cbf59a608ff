import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { probeAddress } from './probe-address.ts'

let server: Server | undefined
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
})

async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('an address that listens is reached, and nothing is sent to it', async () => {
  let received = 0
  let ended = false
  const port = await listen((socket) => {
    socket.on('data', (data) => void (received += data.length)).on('close', () => void (ended = true))
  })
  expect(await probeAddress({ url: `http://127.0.0.1:${port}/v1` })).toMatchObject({ kind: 'reached' })
  await expect.poll(() => ended).toBe(true)
  expect(received).toBe(0)
})

test('an address where nothing listens is not reached', async () => {
  const port = await listen(() => undefined)
  server?.close()
  await once(server as Server, 'close')
  expect(await probeAddress({ url: `http://127.0.0.1:${port}` })).toEqual({
    kind: 'unreached',
    why: 'nothing listens there',
  })
})

test('https:// to a server that speaks no TLS is not reached', async () => {
  const port = await listen((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect(await probeAddress({ url: `https://127.0.0.1:${port}` })).toMatchObject({
    kind: 'unreached',
    why: expect.stringMatching(/^TLS: /),
  })
})

test('a server that never answers is given up in time', async () => {
  const port = await listen(() => undefined)
  expect(await probeAddress({ url: `https://127.0.0.1:${port}`, timeoutMs: 50 })).toEqual({
    kind: 'unreached',
    why: 'no connection within 0.05 s',
  })
})
