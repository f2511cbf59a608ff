import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { childOf } from './support/engine-child.ts'
import { idOf, post } from './support/ledger.ts'
import { eventOf, uniqueText } from './support/prompts.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server.stop())

interface Answered {
  readonly status: number
  readonly content: string
  readonly id: string | null
}

async function ask(text: string, headers: Record<string, string> = {}): Promise<Answered> {
  const messages = [{ role: 'user', content: text }]
  const body = { model: 'demo', messages, max_tokens: 8, temperature: 0 }
  const answer = await post(`${server.url}/v1/chat/completions`, body, { headers })
  const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] }
  return { status: answer.status, content: choices?.[0]?.message.content ?? '', id: idOf(answer) }
}

async function disk(): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`${server.url}/v1/engine`)
  const { models } = (await answer.json()) as { models: { disk: Record<string, number> }[] }
  return models[0]?.disk ?? {}
}

test('F-5 killed while blocks go to disk, it uses none that is not whole: answers are those of a cold prompt', async () => {
  let read = 0
  for (let round = 0; round < 3; round++) {
    const texts = Array.from({ length: 4 }, () => uniqueText(600))
    const { written = 0 } = await disk()
    await Promise.all(texts.map((text) => ask(text)))
    // Some of it is written, the rest is not.
    await expect.poll(async () => (await disk())['written'], { interval: 1 }).toBeGreaterThan(written)
    process.kill(childOf(server.pid), 'SIGKILL')
    await expect.poll(async () => (await ask('Hello')).status).toBe(200)
    const warm = []
    for (const text of texts) warm.push(await ask(text))
    read += (await disk())['read'] ?? 0
    for (const [index, text] of texts.entries()) {
      const cold = await ask(text, { 'x-incipit-prefix-cache': 'off' })
      expect(warm[index]?.content).toBe(cold.content)
      const row = await eventOf(server.url, warm[index]?.id ?? null)
      expect(row.evaluated_tokens).toBe((row.input_tokens ?? 0) - (row.cached_input_tokens ?? 0))
    }
  }
  expect(read).toBeGreaterThan(0)
}, 120_000)
