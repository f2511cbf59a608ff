import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { childOf } from './support/engine-child.ts'
import { aConversation } from './support/prompts.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server.stop())

test('while the engine cannot come back the server says so, and serves again once it can', async () => {
  expect((await chat()).status).toBe(200)
  const models = join(server.dataDir, 'models')
  rmSync(models, { recursive: true })
  writeFileSync(models, 'no directory')
  process.kill(childOf(server.pid), 'SIGKILL')
  await expect.poll(async () => (await readiness()).status).toBe(503)
  expect(await (await readiness()).json()).toEqual({ status: 'engine_restarting', engine: 'restarting' })
  const refused = await chat()
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  rmSync(models)
  await expect.poll(async () => (await chat()).status).toBe(200)
  expect((await readiness()).status).toBe(200)
}, 40_000)

function readiness(): Promise<Response> {
  return fetch(`${server.url}/health/readiness`)
}

function chat(): Promise<Response> {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', messages: aConversation(5), max_tokens: 2 }),
  })
}
