import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { aConversation } from './support/prompts.ts'

test('on SIGTERM running answers finish, and no new connection is taken', async () => {
  const server = await startServerProcess()
  const answer = await ask(server.url, 200)
  const ending = server.stop()
  await expect
    .poll(() =>
      fetch(`${server.url}/health/liveness`).then(
        () => 'up',
        () => 'down',
      ),
    )
    .toBe('down')
  expect(await answer.text()).toMatch(/data: \[DONE\]\s*$/)
  await ending
})

test('what has not finished in time is cut with an error in its dialect', async () => {
  const server = await startServerProcess({ config: 'server: { shutdown_seconds: 1 }' })
  const answer = await ask(server.url, 100_000)
  const ending = server.stop()
  const text = await answer.text()
  expect(text).toMatch(/shutting_down/)
  expect(text).not.toContain('[DONE]')
  await ending
})

test('a crash of the engine fails what is in flight with a clear error, and the next request is served', async () => {
  const server = await startServerProcess()
  try {
    const answer = await ask(server.url, 100_000)
    const reading = answer.text()
    process.kill(await enginePid(server.pid), 'SIGSEGV')
    expect(await reading).toMatch(/engine_failed/)
    const next = await ask(server.url, 4)
    expect(await next.text()).toMatch(/data: \[DONE\]\s*$/)
  } finally {
    await server.stop()
  }
})

async function ask(url: string, maxTokens: number): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // The control tokens that could end it are ruled out: the answer runs for as long as it may.
    body: JSON.stringify({
      model: 'demo',
      messages: aConversation(20),
      max_tokens: maxTokens,
      stream: true,
      temperature: 0,
      logit_bias: { 0: -100, 1: -100, 2: -100 },
    }),
  })
}

/** The one child of the server. */
async function enginePid(parent: number): Promise<number> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')
  return Number(children.trim().split(' ')[0])
}
