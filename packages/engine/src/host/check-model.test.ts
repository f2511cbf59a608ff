import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { EngineConfig, EngineModelConfig } from '../engine.ts'
import { modelFile } from '../gguf/demo-model.ts'
import { modelShapes, syntheticModel } from '../gguf/synthetic-model.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { checkModel } from './check-model.ts'
import { planMemory } from './memory-plan.ts'

const directory = temporaryDirectory()
const tiny = syntheticModel(modelShapes.tiny, directory)
afterAll(() => rmSync(directory, { recursive: true }))

/** What `check` says of a model that has these budgets; `undefined` = nothing. */
function refusal(
  path: string,
  hotBytes: EngineConfig['hotBytes'] = 'auto',
  check: Check = checkModel,
): string | undefined {
  const model = { name: 'm', path, aliases: [] }
  const limits = { ramBytes: 0, diskBytes: 0, minCachedTokens: 16, maxConcurrent: 4, maxQueued: 8 }
  try {
    check({ models: [model], dataDir: directory, threads: 1, flashAttention: 'auto', hotBytes, ...limits }, model)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
type Check = (config: EngineConfig, model: EngineModelConfig) => unknown

test('a file that is cut short, or no model, is refused in the words of the engine', () => {
  expect(refusal(tiny)).toBeUndefined()
  const cut = join(directory, 'cut.gguf')
  writeFileSync(cut, readFileSync(tiny).subarray(0, -1_000))
  expect(refusal(cut)).toMatch(/cut\.gguf.*tensor ".*" ends at byte \d+.*it is cut short/)
  writeFileSync(cut, 'hello')
  expect(refusal(cut)).toMatch(/not a GGUF file/)
  expect(refusal(join(directory, 'absent.gguf'))).toMatch(/ENOENT/)
})

test.each(['builtin:demo', tiny])('%s has the memory plan that it has once it is loaded', (path) => {
  const model = requireNative().loadModel(modelFile(path, directory), { dataDir: directory })
  const { facts } = model
  model.close()
  for (const hotBytes of ['auto', 2 ** 12, 2 ** 20, 2 ** 30] as const) {
    const planned = refusal(path, hotBytes, (config, entry) => planMemory(config, entry, facts))
    expect(refusal(path, hotBytes)).toBe(planned)
    expect(planned === undefined).toBe(hotBytes !== 2 ** 12)
  }
})
