import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { aConversation, eventOf } from './support/prompts.ts'

const rounds = 20
const streams = 8

test(
  'killed 20 times during 8 streams, it starts again and has every event a client saw complete',
  { timeout: 300_000 },
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'incipit-kill-'))
    const complete: string[] = []
    let cutOff = 0
    try {
      for (let round = 0; round < rounds; round++) {
        const server = await startServerProcess({ dataDir })
        const running = Array.from({ length: streams }, (_, index) => stream(server, index))
        // The k-th stream to end gives the signal: the others are at different points of their lives.
        await Promise.race(running.slice(0, 1 + (round % 3)))
        await server.kill()
        const ended = await Promise.all(running)
        complete.push(...ended.filter((id) => id !== undefined))
        cutOff += ended.filter((id) => id === undefined).length
      }
      const server = await startServerProcess({ dataDir })
      for (const id of complete) expect((await eventOf(server.url, id)).status).toBe(200)
      const again = await stream(server, 0)
      expect(again).toBeDefined()
      await server.stop()
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
    expect(complete.length).toBeGreaterThanOrEqual(rounds)
    expect(cutOff).toBeGreaterThan(rounds)
  },
)

/** Resolves with the request id when the stream came to its end, with nothing when it was cut. */
async function stream(server: ServerProcess, index: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo', messages: aConversation(50), max_tokens: 4 + index * 60, stream: true }),
    })
    const text = await answer.text()
    return text.trimEnd().endsWith('data: [DONE]')
      ? (answer.headers.get('x-incipit-request-id') ?? undefined)
      : undefined
  } catch {
    return undefined
  }
}
