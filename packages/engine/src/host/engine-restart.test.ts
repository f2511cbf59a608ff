import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requestId } from '@incipit/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../engine.ts'
import { engineProcessId } from '../testing/engine-process-id.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import { temporaryDirectory } from '../testing/native-fixture.ts'
import { startEngine } from './engine-process.ts'

const dataDir = temporaryDirectory()
const models = join(dataDir, 'models')
let engine: Engine
let nextId = 0

beforeAll(async () => {
  const started = await startEngine({
    models: [{ name: 'demo', path: 'builtin:demo', aliases: [], contextTokens: 4_096 }],
    dataDir,
    threads: 1,
    flashAttention: 'auto',
    hotBytes: 'auto',
    ramBytes: 0,
    diskBytes: 0,
    minCachedTokens: 16,
    maxConcurrent: 8,
    maxQueued: 64,
  })
  if (started.kind === 'unavailable') throw new Error(started.reason)
  engine = started.engine
})
afterAll(async () => {
  await engine.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function chat(signal = new AbortController().signal): Promise<string | undefined> {
  const id = requestId(`req_${String(nextId++).padStart(24, '0')}`)
  const generation = { ...aGeneration([{ role: 'user', content: 'Hello' }]), maxTokens: 4 }
  let reason: string | undefined
  for await (const event of engine.generate(
    { id, model: 'demo', scopeKey: 'a', generation, prefixCache: 'on' },
    signal,
  ))
    if (event.kind === 'finish') reason = event.reason
  return reason
}

test('an engine whose model cannot be loaded again is back once it can', { timeout: 40_000 }, async () => {
  expect([await chat(), engine.ready]).toEqual([expect.any(String), true])
  rmSync(models, { recursive: true })
  writeFileSync(models, 'no directory')
  process.kill(engineProcessId(), 'SIGKILL')
  await expect.poll(() => engine.ready).toBe(false)
  await expect(chat()).rejects.toMatchObject({ code: 'engine_restarting', retryAfterSeconds: expect.any(Number) })
  expect(engine.ready).toBe(false)
  rmSync(models)
  await expect.poll(chat).toEqual(expect.any(String))
  expect(engine.ready).toBe(true)
  expect((await engine.stats()).restarts).toBeGreaterThan(1)
})

test('a question to a process that is stopped is given up', { timeout: 20_000 }, async () => {
  const pid = engineProcessId()
  process.kill(pid, 'SIGSTOP')
  try {
    await expect(engine.stats()).rejects.toMatchObject({
      code: 'engine_failed',
      message: 'the engine did not answer "stats" within 5000 ms',
    })
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  expect((await engine.stats()).models).toHaveLength(1)
})

test('closing ends what waits for the process, and starts no other', async () => {
  process.kill(engineProcessId(), 'SIGKILL')
  await expect.poll(() => engine.ready).toBe(false)
  const [waiting] = await Promise.allSettled([chat(), engine.close()])
  expect(waiting).toMatchObject({ status: 'rejected', reason: { code: 'shutting_down' } })
  await expect(engine.stats()).rejects.toMatchObject({ code: 'shutting_down' })
})
