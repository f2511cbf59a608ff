import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentBody } from './agent-body.ts'
import { directly } from './gateways.ts'
import { load } from './load.ts'
import { sseAnswer } from './mock-answers.ts'
import { MockUpstream } from './mock-upstream.ts'

const body = agentBody({ bytes: 2000, stream: false, seed: 1 })
let mock: MockUpstream

beforeEach(async () => {
  mock = await MockUpstream.listen(0)
})
afterEach(() => mock.close())

test('every connection keeps sending, and no request is like another', async () => {
  mock.received = []
  const { target } = directly(mock.url)
  const result = await load({ target, body, connections: 3, warmSeconds: 0, seconds: 0.2 })
  expect(result.requests).toBeGreaterThan(3)
  expect(result.totalMs).toHaveLength(result.requests)
  const bodies = Buffer.concat(mock.received)
  expect(bodies.length % body.bytes.length).toBe(0)
  const count = bodies.length / body.bytes.length
  expect(count).toBeGreaterThanOrEqual(result.requests)
  const stamps = Array.from({ length: count }, (_, index) => {
    const at = index * body.bytes.length + body.stampAt
    return bodies.toString('latin1', at, at + 12)
  })
  expect(new Set(stamps).size).toBe(count)
})

test('at a rate, requests are sent as they are due and the first byte comes no later than the last', async () => {
  mock.answer = sseAnswer
  const { target } = directly(mock.url)
  const result = await load({ target, body, connections: 8, warmSeconds: 0, seconds: 0.5, rate: 200 })
  expect(result.requests).toBeGreaterThan(20)
  // Sending at once on every answer would make thousands.
  expect(result.requests).toBeLessThan(result.seconds * 400)
  result.firstByteMs.forEach((first, index) => expect(first).toBeLessThanOrEqual(result.totalMs[index] ?? 0))
})

test('the edges of the measured time are told in their order', async () => {
  const edges: string[] = []
  const { target } = directly(mock.url)
  const onWindow = (edge: string): void => void edges.push(edge)
  await load({ target, body, connections: 1, warmSeconds: 0.01, seconds: 0.01, onWindow })
  expect(edges).toEqual(['begin', 'end'])
})

test('a refusal ends the run with its status and text', async () => {
  const refusing = createServer((_, response) => void response.writeHead(404).end('no such model'))
  await new Promise<void>((resolve) => void refusing.listen(0, '127.0.0.1', resolve))
  const { port } = refusing.address() as AddressInfo // a TCP listener
  const { target } = directly(`http://127.0.0.1:${port}`)
  const running = load({ target, body, connections: 2, warmSeconds: 0, seconds: 5 })
  await expect(running).rejects.toThrow('direct: answered 404: no such model')
  await new Promise((resolve) => refusing.close(resolve))
})

test('where nobody listens the run ends at once', async () => {
  const gone = await MockUpstream.listen(0)
  const { target } = directly(gone.url)
  await gone.close()
  await expect(load({ target, body, connections: 2, warmSeconds: 0, seconds: 5 })).rejects.toThrow('ECONNREFUSED')
})
