import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { uniqueText } from './support/prompts.ts'

const config = `
engine:
  disk_bytes: 0
  max_concurrent: 8
  models: [{ name: demo, path: "builtin:demo", context_tokens: 16384 }]
`
let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess({ config })
})
afterAll(() => server.stop())

interface Usage {
  readonly prompt_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

async function ask(system: string, user: string, signal?: AbortSignal): Promise<Usage> {
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'demo',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ],
      max_tokens: 3,
    }),
    ...(signal === undefined ? {} : { signal }),
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { usage: Usage }).usage
}

async function metric(name: string): Promise<number> {
  const page = await (await fetch(`${server.url}/metrics`)).text()
  const line = page.split('\n').find((each) => each.startsWith(name) && /[{ ]/.test(each[name.length] ?? ''))
  if (line === undefined) throw new Error(`there is no metric ${name}`)
  return Number(line.split(' ').at(-1))
}

const evaluated = (): Promise<number> => metric('incipit_engine_evaluated_tokens_total')

test('D-39 32 requests that arrive together on one cold prefix of more than 4,096 tokens evaluate it once', async () => {
  const system = uniqueText(2_600)
  const before = await evaluated()
  const usages = await Promise.all(Array.from({ length: 32 }, (_, index) => ask(system, `Question ${index}`)))
  const prompt = Math.max(...usages.map((usage) => usage.prompt_tokens))
  expect(prompt).toBeGreaterThan(4_096)
  const own = usages.map((usage) => usage.prompt_tokens - usage.prompt_tokens_details.cached_tokens)
  expect(own.filter((tokens) => tokens > 64)).toHaveLength(1)
  expect((await evaluated()) - before).toBe(own.reduce((sum, tokens) => sum + tokens, 0))
  expect((await evaluated()) - before).toBeLessThan(prompt + 32 * 64)
})

test('D-39 when the client of the first one hangs up, another goes on from there, and nobody is left waiting', async () => {
  const system = uniqueText(4_000)
  const before = await evaluated()
  const controller = new AbortController()
  const first = ask(system, 'The first', controller.signal).catch(() => undefined)
  await expect.poll(() => metric('incipit_engine_requests_running'), { interval: 2 }).toBeGreaterThan(0)
  const others = Array.from({ length: 12 }, (_, index) => ask(system, `Question ${index}`))
  controller.abort()
  const usages = await Promise.all(others)
  await first
  const prompt = Math.max(...usages.map((usage) => usage.prompt_tokens))
  expect((await evaluated()) - before).toBeLessThan(prompt + 13 * 64)
})
