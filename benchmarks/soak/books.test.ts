import { expect, test } from 'vitest'
import type { EngineStatus, ModelStatus } from '../support/engine-status.ts'
import type { ToldTokens } from './books.ts'
import { wrongInBooks } from './books.ts'

function aModel(more: Partial<ModelStatus> = {}): ModelStatus {
  return {
    model: 'demo',
    kv_bytes_per_token: 512,
    prefix_cache_off: null,
    running: 0,
    queued: 0,
    hot: { tokens: 500, held_tokens: 0, capacity_tokens: 16_384 },
    ram: { blocks: 10, bytes: 330_000, capacity_bytes: 1_000_000 },
    disk: { ...aDisk, blocks: 7, written: 9, evicted: 2 },
    tokens: { prompt: 1_000, queried: 1_000, cached: 600, evaluated: 400, generated: 50, evicted: 0 },
    ...more,
  }
}

const aDisk = {
  off: null,
  store: 'ad6598b62254fee0',
  blocks: 0,
  bytes: 0,
  capacity_bytes: 1_000_000,
  restored: 0,
  discarded: 0,
  written: 0,
  read: 0,
  evicted: 0,
  failed_writes: 0,
}

function found(
  models: readonly ModelStatus[],
  told: Partial<ToldTokens> = {},
  more: Partial<EngineStatus> = {},
): string[] {
  const status = { running: 0, queued: 0, resident_bytes: 1, budget_bytes: 1, restarts: 0, models, ...more }
  return wrongInBooks(status, new Map([['demo', { prompt: 1_000, cached: 600, left: 0, ...told }]]))
}

test('books in order', () => {
  expect(found([aModel()])).toEqual([])
})

test('what is left behind, what is above its limit, and blocks that nobody wrote are found', () => {
  expect(found([aModel()], {}, { running: 1, restarts: 2 })).toEqual([
    '1 run and 0 wait',
    'the engine was restarted 2 times',
  ])
  expect(found([aModel({ hot: { tokens: 20_000, held_tokens: 64, capacity_tokens: 16_384 } })])).toEqual([
    'demo: 64 cells are held by nobody',
    'demo: 20000 hot tokens, 16384 allowed',
  ])
  expect(found([aModel({ ram: { blocks: 40, bytes: 1_000_001, capacity_bytes: 1_000_000 } })])).toEqual([
    'demo: 1000001 bytes in RAM, 1000000 allowed',
  ])
  expect(found([aModel({ disk: { ...aDisk, blocks: 8, written: 9, evicted: 2 } })])).toEqual([
    'demo: 8 blocks on disk, 7 by what was written and evicted',
  ])
  expect(found([aModel({ disk: { ...aDisk, off: 'disk_bytes is 0' } })])).toEqual([
    'demo: there is no disk tier: disk_bytes is 0',
  ])
})

test('tokens must be those that clients were told of, as far as none of them left', () => {
  const { tokens } = aModel()
  const more = aModel({ tokens: { ...tokens, prompt: 1_100, cached: 600, evaluated: 520 } })
  expect(found([more])).toEqual([
    'demo: 1100 prompt tokens, clients were told 1000',
    'demo: 520 tokens evaluated, 500 were not cached',
  ])
  expect(found([more], { left: 1 })).toEqual([])
  // Whoever left: never less than was told, and nothing that was evaluated counts as cached.
  const less = aModel({ tokens: { ...tokens, prompt: 900, cached: 500, evaluated: 300 } })
  expect(found([less], { left: 1 })).toHaveLength(3)
})
