import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { blockTokens } from '../cache/block-key.ts'
import type { EngineConfig } from '../engine.ts'
import type { TinyShape } from '../testing/native-fixture.ts'
import { evaluate, someTokens, temporaryDirectory, testContext, tinyModel } from '../testing/native-fixture.ts'
import { startEngine } from './engine-process.ts'
import { leastTierBytes } from './tier-check.ts'

const dataDir = temporaryDirectory()
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const aModel = (name: string) => ({ name, path: 'builtin:demo', aliases: [], contextTokens: 2_048 })
const config: EngineConfig = {
  models: [aModel('one'), aModel('two')],
  dataDir,
  threads: 1,
  flashAttention: 'auto',
  hotBytes: 'auto',
  ramBytes: 2 ** 24,
  diskBytes: 2 ** 26,
  minCachedTokens: 16,
  maxConcurrent: 4,
  maxQueued: 8,
}

test.each<TinyShape>(['tiny', 'tinySlidingWindow', 'tinyRecurrent', 'tinyHybrid'])(
  'what a block of %s needs is what its state takes, and a little room',
  async (shape) => {
    const model = tinyModel(dataDir, shape)
    const { facts } = model
    for (const flashAttention of [true, false]) {
      if (flashAttention && facts.recurrent) continue
      const context = model.createContext({ ...testContext, flashAttention })
      // Each step builds on the one before it.
      // oxlint-disable-next-line no-await-in-loop
      await evaluate(context, { sequence: 0, tokens: someTokens(blockTokens, 1), start: 0 })
      const taken = context.stateBytes(0) + blockTokens * Int32Array.BYTES_PER_ELEMENT
      const recurrent = facts.recurrent ? context.stateBytes(0) : context.recurrentBytes(0)
      const least = leastTierBytes(facts, recurrent)
      expect(least).toBeGreaterThanOrEqual(taken)
      expect(least - taken).toBeLessThan(blockTokens * 32 + facts.layers * 64 + 256)
      context.close()
    }
    model.close()
  },
)

test('a budget of RAM or disk that has no room for one block stops the start with the bytes it needs', async () => {
  const needs = (setting: string, allowed: number): RegExp =>
    new RegExp(`model "one": a block of 64 tokens needs \\d+ bytes, ${allowed} allowed \\(engine\\.${setting}\\)`)
  await expect(startEngine({ ...config, ramBytes: 1_000 })).rejects.toThrow(needs('ram_bytes', 500))
  await expect(startEngine({ ...config, diskBytes: 1_000 })).rejects.toThrow(needs('disk_bytes', 500))
})

test('0 turns a tier off: nothing is asked of what is off', async () => {
  for (const off of [{ ramBytes: 0, diskBytes: 1_000 }, { diskBytes: 0 }]) {
    // One process after the other.
    // oxlint-disable-next-line no-await-in-loop
    const started = await startEngine({ ...config, ...off })
    if (started.kind === 'unavailable') throw new Error(started.reason)
    expect(started.engine.models[0]?.diskOff).toMatch(/^(ram|disk)_bytes is 0/)
    // oxlint-disable-next-line no-await-in-loop
    await started.engine.close()
  }
})
