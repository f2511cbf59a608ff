import { expect, test } from 'vitest'
import type { EngineConfig, EngineModelConfig } from '../engine.ts'
import { planMemory } from './memory-plan.ts'

const mebibyte = 2 ** 20
const dense = { kvBytesPerToken: 1_024, trainedContextTokens: 8_192, recurrent: false, hybrid: false, slidingWindow: 0 }
const recurrent = { ...dense, kvBytesPerToken: 0, recurrent: true }
const hybrid = { ...dense, kvBytesPerToken: 512, hybrid: true }
const states = { sequences: 8, bytes: mebibyte }

function config(hotBytes: EngineConfig['hotBytes'], models: number): EngineConfig {
  const entries = Array.from({ length: models }, (_, index) => ({ name: `m${index}`, path: 'p', aliases: [] }))
  const limits = { ramBytes: 30 * mebibyte, diskBytes: 0, minCachedTokens: 16, maxConcurrent: 4, maxQueued: 8 }
  return { models: entries, dataDir: 'd', threads: 1, flashAttention: 'auto', hotBytes, ...limits }
}

function plan(of: EngineConfig, facts: typeof dense, entry: Partial<EngineModelConfig> = {}) {
  const known = facts.recurrent || facts.hybrid ? states : undefined
  return planMemory(of, { name: 'm0', path: 'p', aliases: [], ...entry }, facts, known)
}

test('several kinds of models share the budgets, and together stay below them', () => {
  const one = config(60 * mebibyte, 3)
  const plans = [dense, recurrent, hybrid].map((facts) => plan(one, facts))
  expect(plans.reduce((sum, { kvBytes }) => sum + kvBytes, 0)).toBeLessThanOrEqual(60 * mebibyte)
  expect(plans.reduce((sum, { ramBytes }) => sum + ramBytes, 0)).toBeLessThanOrEqual(30 * mebibyte)
  expect(plans[0]?.kvBytes).toBe(20 * mebibyte)
  expect(plans[1]?.kvBytes).toBe(8 * mebibyte)
  // States first, what is left is cells.
  expect(plans[2]).toMatchObject({ kvBytes: 20 * mebibyte, cells: (12 * mebibyte) / 512 })
})

test('an automatic budget takes what states need beside one context', () => {
  expect(plan(config('auto', 1), hybrid, { contextTokens: 2_048 })).toMatchObject({
    contextTokens: 2_048,
    kvBytes: 8_192 * 512 + 8 * mebibyte,
  })
})

test('no context of a recurrent model waits for room of another: cells only count its tokens', () => {
  expect(plan(config('auto', 1), recurrent, { contextTokens: 2_048 }).cells).toBeGreaterThanOrEqual(4 * 2_048)
})

test('what does not fit its share is refused with the bytes that it needs and may have', () => {
  expect(() => plan(config(12 * mebibyte, 3), dense, { contextTokens: 8_192 })).toThrow(
    'model "m0": a context of 8192 tokens needs 8650752 bytes of KV, 4194304 allowed (engine.hot_bytes)',
  )
  expect(() => plan(config(20 * mebibyte, 3), recurrent)).toThrow(
    'model "m0" needs 8 states of 1048576 bytes, 8388608 bytes in all, 6990506 allowed (engine.hot_bytes, engine.max_concurrent)',
  )
  expect(() => plan(config(30 * mebibyte, 3), hybrid, { contextTokens: 8_192 })).toThrow(
    'model "m0": a context of 8192 tokens needs 4325376 bytes of KV, 2097152 allowed (engine.hot_bytes)',
  )
})

test('without room for any context the smallest one and its bytes are named, and those bytes are enough', () => {
  expect(() => plan(config(1_000, 1), dense)).toThrow(
    'model "m0": the smallest context, 256 tokens, needs 524288 bytes of KV, 1000 allowed (engine.hot_bytes)',
  )
  expect(() => plan(config(8 * mebibyte + 1_000, 1), hybrid)).toThrow(
    'needs 262144 bytes of KV, 1000 allowed beside 8388608 of states (engine.hot_bytes)',
  )
  expect(plan(config(524_288, 1), dense)).toMatchObject({ contextTokens: 256, cells: 512, kvBytes: 524_288 })
})
