import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { fuzzCache } from '../testing/cache-fuzz.ts'
import { requireNative, temporaryDirectory, tinyModel } from '../testing/native-fixture.ts'

let demo: Model
let sliding: Model
const directory = temporaryDirectory()

beforeAll(() => {
  demo = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
  sliding = tinyModel(directory, 'tinySlidingWindow')
})
afterAll(() => {
  demo.close()
  sliding.close()
})

test('CF-1 P-8 F-5 random prompts in mixed batches give the bits of a cold run: hot, from RAM, from disk, under pressure and over restarts', async () => {
  const { reused, fromRam, fromDisk } = await fuzzCache(demo, {
    seed: 7,
    steps: 220,
    caches: [
      {},
      { cells: 2_560 },
      { cells: 2_560, ramBytes: 2 ** 21 },
      { ramBytes: 2 ** 23, hotCells: 300 },
      { ramBytes: 2 ** 20, hotCells: 200, diskIn: temporaryDirectory() },
    ],
  })
  expect(reused).toBeGreaterThan(1_000)
  expect(fromRam).toBeGreaterThan(1_000)
  expect(fromDisk).toBeGreaterThan(1_000)
})

test('CF-1 F-5 D-55 a sliding-window model reuses any prefix, with the bits of a cold run, in every tier', async () => {
  const { reused, fromRam, fromDisk } = await fuzzCache(sliding, {
    seed: 8,
    steps: 80,
    caches: [
      {},
      { cells: 2_560, ramBytes: 2 ** 22 },
      { ramBytes: 2 ** 22, hotCells: 200, diskIn: temporaryDirectory() },
    ],
  })
  expect(reused).toBeGreaterThan(500)
  expect(fromRam).toBeGreaterThan(500)
  expect(fromDisk).toBeGreaterThan(200)
}, 300_000)
