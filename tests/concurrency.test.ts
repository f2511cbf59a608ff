import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { aConversation } from './support/prompts.ts'

const streams = 32
let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server.stop())

test('32 concurrent streams of one session start in the order of arrival, all finish, none starves', async () => {
  const started: number[] = []
  const running: Promise<string>[] = []
  for (let index = 0; index < streams; index++) {
    running.push(stream(index, 24, started))
    // The next one goes out when this one has been received: arrival order is then what we say it is.
    await expect
      .poll(() => metric('incipit_requests_in_flight').then((count) => count + started.length), { interval: 2 })
      .toBeGreaterThan(index)
  }
  const texts = await Promise.all(running)
  for (const text of texts) expect(text).toMatch(/"finish_reason":"length"[\s\S]*data: \[DONE\]\s*$/)
  expect(inversions(started)).toBe(0)
})

test('memory stays within the stated budget, and an idle engine holds no request', async () => {
  await expect.poll(() => metric('incipit_engine_requests_running')).toBe(0)
  expect(await metric('incipit_engine_requests_queued')).toBe(0)
  expect(await metric('incipit_engine_resident_bytes')).toBeGreaterThan(0)
  expect(await metric('incipit_engine_resident_bytes')).toBeLessThan(
    (await metric('incipit_engine_budget_bytes')) * 1.1,
  )
})

test('clients that leave free their sequences at once', async () => {
  const controllers = Array.from({ length: 8 }, () => new AbortController())
  const answers = controllers.map((controller) => ask(5_000, controller.signal).catch(() => undefined))
  try {
    await expect.poll(() => metric('incipit_engine_requests_running')).toBe(8)
  } finally {
    for (const controller of controllers) controller.abort()
  }
  await expect.poll(() => metric('incipit_engine_requests_running'), { timeout: 5_000 }).toBe(0)
  await Promise.all(answers)
})

async function stream(index: number, maxTokens: number, started: number[]): Promise<string> {
  const answer = await ask(maxTokens)
  started.push(index)
  return answer.text()
}

async function ask(maxTokens: number, signal?: AbortSignal): Promise<Response> {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-session-id': 'one' },
    body: JSON.stringify({
      model: 'demo',
      messages: aConversation(200),
      max_tokens: maxTokens,
      stream: true,
      // Without its control tokens the model cannot end an answer early.
      logit_bias: { 0: -100, 1: -100, 2: -100 },
    }),
    ...(signal === undefined ? {} : { signal }),
  })
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

/** How many neighbours stand in the wrong order. */
function inversions(order: readonly number[]): number {
  return order.filter((value, index) => index > 0 && value < (order[index - 1] ?? -1)).length
}
