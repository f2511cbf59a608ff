import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { aConversation } from './support/prompts.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server.stop())

test('M-2 the event of a stream that the client left carries the output up to then', async () => {
  const controller = new AbortController()
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', messages: aConversation(20), max_tokens: 100_000, stream: true }),
    signal: controller.signal,
  })
  let received = 0
  for await (const chunk of answer.body ?? []) {
    received += Buffer.from(chunk).toString().split('"content":').length - 1
    if (received > 20) break
  }
  controller.abort()
  const id = answer.headers.get('x-incipit-request-id')
  await expect.poll(() => eventFields(id), { timeout: 10_000 }).toMatchObject({ status: 499 })
  const output = (await eventFields(id)).usage?.output
  expect(output).toBeGreaterThanOrEqual(20)
  expect(output).toBeLessThan(100_000)
})

async function eventFields(id: string | null): Promise<{ status?: number; usage?: { output: number | null } }> {
  const answer = await fetch(`${server.url}/v1/events/${id}`)
  return (await answer.json()) as { status?: number; usage?: { output: number | null } } // the API's documented shape
}
