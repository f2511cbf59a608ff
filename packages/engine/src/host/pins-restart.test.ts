import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { PromptReport } from '@incipit/core'
import { epochMs, requestId } from '@incipit/core'
import { afterAll, expect, test } from 'vitest'
import { PinFile } from '../cache/disk/pin-file.ts'
import type { Engine } from '../engine.ts'
import { engineProcessId } from '../testing/engine-process-id.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import { temporaryDirectory } from '../testing/native-fixture.ts'
import { startEngine } from './engine-process.ts'

const dataDir = temporaryDirectory()
const never = new AbortController().signal
const noon = Date.UTC(2026, 10, 26, 12)
const story = aGeneration([{ role: 'system', content: 'Once upon a time there was a cache. '.repeat(40) }])

afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

async function anEngine(now: () => number): Promise<Engine> {
  const started = await startEngine(
    {
      models: [{ name: 'demo', path: 'builtin:demo', aliases: [], contextTokens: 4_096 }],
      dataDir,
      threads: 1,
      flashAttention: 'off',
      hotBytes: 'auto',
      ramBytes: 2 ** 24,
      diskBytes: 2 ** 26,
      minCachedTokens: 16,
      maxConcurrent: 8,
      maxQueued: 64,
    },
    { now: () => epochMs(now()) },
  )
  if (started.kind === 'unavailable') throw new Error(started.reason)
  return started.engine
}

/** What a question about the story reused. */
async function ask(engine: Engine, id: number): Promise<PromptReport | undefined> {
  const messages = [...story.messages, { role: 'user' as const, content: 'Why?' }]
  const generation = { ...story, messages, maxTokens: 2 }
  const request = {
    id: requestId(`req_${String(id).padStart(24, '0')}`),
    model: 'demo',
    scopeKey: 'a',
    generation,
    prefixCache: 'on' as const,
  }
  let report: PromptReport | undefined
  for await (const event of engine.generate(request, never)) if (event.kind === 'prompt') report = event
  return report
}

test(
  'P-1 P-8 pins and what they keep outlive the engine, closed or killed, with the lives that they had',
  { timeout: 60_000 },
  async () => {
    const contents = { model: 'demo', scopeKey: 'a', generation: story, ttlMs: 3_600_000 }
    let engine = await anEngine(() => noon)
    const pin = await engine.pin(contents, never)
    await engine.close()

    let now = noon + 1_000_000
    engine = await anEngine(() => now)
    try {
      expect(await engine.pins()).toEqual([pin])
      const report = await ask(engine, 1)
      expect(report?.tiers.disk).toBeGreaterThanOrEqual(pin.tokens - 63)

      const extended = await engine.extendPin(pin, 7_200_000)
      const [store = ''] = readdirSync(join(dataDir, 'kv'))
      const written = (): number | undefined => new PinFile(join(dataDir, 'kv', store), 'demo').load()[0]?.ttlMs
      await expect.poll(written, { timeout: 20_000 }).toBe(7_200_000)
      process.kill(engineProcessId(), 'SIGKILL')
      await expect.poll(() => engine.ready).toBe(false)
      await expect
        .poll(async () => (await ask(engine, 2).catch(() => undefined)) !== undefined, { timeout: 20_000 })
        .toBe(true)
      expect(await engine.pins()).toMatchObject([{ id: pin.id, expiresAt: extended?.expiresAt }])
      now += 7_200_000
      expect(await engine.pins()).toEqual([])
    } finally {
      await engine.close()
    }
  },
)
