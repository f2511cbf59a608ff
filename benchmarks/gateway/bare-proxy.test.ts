import type { Server } from 'node:http'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentBody } from './agent-body.ts'
import { createBareProxy } from './bare-proxy.ts'
import { checkRelay } from './check-relay.ts'
import { runningGateway } from './gateways.ts'
import { load } from './load.ts'
import { spacedAnswer } from './mock-answers.ts'
import { MockUpstream } from './mock-upstream.ts'

let mock: MockUpstream
let proxy: Server

beforeEach(async () => {
  mock = await MockUpstream.listen(0)
  proxy = await listening(createBareProxy(mock.url))
})
afterEach(async () => {
  await closed(proxy)
  await mock.close()
})

test('requests and answers come through as the same bytes', async () => {
  const checks = await checkRelay(runningGateway(`bare=${urlOf(proxy)}`, []).target, mock)
  expect(checks.map(({ answer, request, answered }) => [answer, request.identical, answered.identical])).toEqual([
    ['json', true, true],
    ['sse', true, true],
  ])
})

test('the beginning of a stream does not wait for its end', async () => {
  mock.answer = spacedAnswer(2)
  const body = agentBody({ bytes: 300_000, stream: true, seed: 1 })
  const { target } = runningGateway(`bare=${urlOf(proxy)}`, [])
  const result = await load({ target, body, connections: 2, warmSeconds: 0, seconds: 0.5 })
  expect(result.requests).toBeGreaterThan(0)
  result.firstByteMs.forEach((first, index) => expect((result.totalMs[index] ?? 0) - first).toBeGreaterThan(50))
})

test('an upstream that is gone is a 502', async () => {
  const gone = await MockUpstream.listen(0)
  const { url } = gone
  await gone.close()
  const lonely = await listening(createBareProxy(url))
  await expect(checkRelay(runningGateway(`bare=${urlOf(lonely)}`, []).target, mock)).rejects.toThrow(
    'bare: answered 502',
  )
  await closed(lonely)
})

test('a client that leaves closes the request to the upstream', async () => {
  const silent = createTcpServer()
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo // a TCP listener
  const waiting = await listening(createBareProxy(`http://127.0.0.1:${port}`))
  const client = request(urlOf(waiting), { method: 'POST' })
  client.on('error', () => {}) // it is this test that hangs up
  const upstreamLeft = new Promise<void>((resolve) => {
    silent.on('connection', (socket) => {
      socket.once('data', () => client.destroy())
      socket.on('error', () => {})
      socket.on('close', () => resolve())
    })
  })
  client.end('{}')
  await expect(upstreamLeft).resolves.toBeUndefined()
  await closed(waiting)
  await new Promise((resolve) => silent.close(resolve))
})

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}

async function closed(server: Server): Promise<void> {
  const done = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await done
}

function urlOf(server: Server): string {
  const { port } = server.address() as AddressInfo // a TCP listener
  return `http://127.0.0.1:${port}`
}
