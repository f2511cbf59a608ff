import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { childOf, childrenOf, isRunning } from './support/engine-child.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'

const messages = [{ role: 'user', content: 'Go on.' }]
const chat = (url: string, more: object = {}): Promise<Response> =>
  post(`${url}/v1/chat/completions`, { model: 'demo', messages, max_tokens: 4, ...more })

test('an engine that is stopped is ended: what waits for it gets an error, what comes next is served', async () => {
  const server = await startServerProcess({ config: 'engine: { hang_seconds: 3 }' })
  try {
    expect((await chat(server.url)).status).toBe(200)
    const pid = childOf(server.pid)
    process.kill(pid, 'SIGSTOP')
    const [whole, streamed] = await Promise.all([chat(server.url), chat(server.url, { stream: true })])
    for (const answer of [whole, streamed]) {
      expect([answer.status, await answer.text()]).toEqual([
        502,
        expect.stringContaining('no sign of life for 3000 ms'),
      ])
      expect(await rowOf(server.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'engine_failed' })
    }
    expect(isRunning(pid)).toBe(false)
    expect((await chat(server.url)).status).toBe(200)
    expect(childrenOf(server.pid)).toHaveLength(1)
    // Lines may arrive in pieces.
    await expect
      .poll(() => server.output().replaceAll('\n', ''))
      .toMatch(
        /no sign of life for 3000 ms and was ended","signal":"SIGKILL","requests_in_flight":2,"restart_in_ms":50/,
      )
  } finally {
    await server.stop()
  }
})

test('while an engine crashes at every start it is refused at once with a time, and other upstreams serve', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'incipit-crash-loop-'))
  const file = join(folder, 'model.gguf')
  const other = await startRecordingUpstream()
  const first = await startServerProcess()
  copyFileSync(join(first.dataDir, 'models/incipit-demo.gguf'), file)
  await first.stop()
  const config = `
engine: { models: [{ name: demo, path: "${file}" }] }
upstreams: [{ name: other, kind: openai, base_url: "${other.url}/v1", api_key: k, models: ["gpt-*"] }]
`
  const server = await startServerProcess({ config })
  try {
    expect((await chat(server.url)).status).toBe(200)
    const whole = readFileSync(file)
    // Its pages are gone while it is mapped: what reads them next ends with SIGBUS.
    truncateSync(file, 4_096)
    await expect.poll(async () => (await chat(server.url)).status).toBe(503)
    const refused = await chat(server.url)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: { code: 'engine_restarting' } })
    const anthropic = await post(`${server.url}/v1/messages`, { model: 'demo', max_tokens: 4, messages })
    expect([anthropic.status, await anthropic.json()]).toMatchObject([
      503,
      { type: 'error', error: { code: 'engine_restarting' } },
    ])
    const readiness = await fetch(`${server.url}/health/readiness`)
    expect(await readiness.json()).toEqual({ status: 'ready', engine: 'restarting' })
    expect((await chat(server.url, { model: 'gpt-5.4' })).status).toBe(200)
    expect(other.requests).toHaveLength(1)
    writeFileSync(file, whole)
    await expect.poll(async () => (await chat(server.url)).status).toBe(200)
  } finally {
    await server.stop()
    await other.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('an engine that is killed again and again while it starts comes back', async () => {
  const server = await startServerProcess()
  try {
    const killed = new Set([childOf(server.pid)])
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    while (killed.size < 4) {
      const child = childrenOf(server.pid).find((pid) => !killed.has(pid))
      if (child !== undefined) process.kill(child, 'SIGKILL')
      if (child === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
      else killed.add(child)
    }
    await expect.poll(async () => (await chat(server.url)).status).toBe(200)
    expect(childrenOf(server.pid)).toHaveLength(1)
  } finally {
    await server.stop()
  }
})
