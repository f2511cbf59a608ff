import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'

const key = 'key-of-acme-web-0001'
const config = `
server: { max_body_bytes: 8MiB }
keys:
  - { key: ${key}, org: acme, name: web, role: member }
`
let gateway: ServerProcess

beforeAll(async () => {
  gateway = await startGateway([{ name: 'oa', url: 'http://127.0.0.1:9', settings: 'kind: openai, api_key: k' }], {
    config,
  })
})
afterAll(() => gateway?.stop())

describe('a refusal reaches a client that is still sending', () => {
  const big = new Uint8Array(9 * 2 ** 20).fill(32)
  const json = (authorization: string): RequestInit => {
    return { body: big, headers: { 'content-type': 'application/json', authorization: `Bearer ${authorization}` } }
  }
  const form = (): RequestInit => {
    const body = new FormData()
    body.append('file', new Blob(['x'.repeat(1_000)]), 'name')
    return { body }
  }
  test.each([
    ['a path where there is nothing', '/v1/nothing', () => json(key), 404],
    ['an upload to a path where there is nothing', '/v1/files', form, 404],
    ['a key that is none', '/v1/chat/completions', () => json('wrong'), 401],
    ['a body over the limit', '/v1/messages', () => json(key), 413],
  ])('%s', async (_, path, request, status) => {
    for (let i = 0; i < 30; i++) {
      const answer = await fetch(`${gateway.url}${path}`, { method: 'POST', ...request() })
      expect(answer.status).toBe(status)
      expect(await answer.json()).toMatchObject({ error: { message: expect.any(String) } })
    }
  })
})

test('one that announces a body and never sends it has its answer at once, and is cut off soon', async () => {
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  let received = ''
  socket.on('data', (chunk: Buffer) => void (received += chunk.toString()))
  socket.on('error', () => undefined)
  socket.write('POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nnot all')
  await expect.poll(() => received).toMatch(/^HTTP\/1\.1 404 [^]*connection: close[^]*\}$/i)
  await closed
})

test('a refusal without a body leaves the connection to the next request', async () => {
  const answer = await fetch(`${gateway.url}/v1/nothing`)
  expect([answer.status, answer.headers.get('connection')]).toEqual([404, 'keep-alive'])
})
