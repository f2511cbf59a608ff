import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  evaluate,
  largestDifference,
  someTokens,
  temporaryDirectory,
  testContext,
  tinyModel,
} from '../testing/native-fixture.ts'
import type { Model } from './contract.ts'

let directory: string
let model: Model

beforeAll(() => {
  directory = temporaryDirectory()
  model = tinyModel(directory, 'tinyRecurrent')
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

test('D-55 the state of a recurrent model cannot be cut, and goes on from where it was saved, bit by bit', async () => {
  expect(model.facts).toMatchObject({ recurrent: true, hybrid: false, slidingWindow: 0, kvBytesPerToken: 0 })
  const [prefix, suffix] = [someTokens(300, 1), someTokens(40, 2)]
  const context = model.createContext({ ...testContext, flashAttention: false })
  const whole = Int32Array.of(...prefix, ...suffix)
  const expected = await evaluate(context, { sequence: 0, tokens: whole, start: 0 })
  await evaluate(context, { sequence: 1, tokens: prefix, start: 0 })
  const state = new Uint8Array(context.stateBytes(1))
  context.readState(1, state)
  expect(context.removeSequence(1, 200, -1)).toBe(false)
  expect(context.removeSequence(1, 0, -1)).toBe(true)
  expect(context.writeState(4, state)).toBe(true)
  expect(context.sequenceRange(4).last).toBe(299)
  const actual = await evaluate(context, { sequence: 4, tokens: suffix, start: 300 })
  expect(largestDifference(expected, actual)).toBe(0)
  const other = await evaluate(context, { sequence: 5, tokens: suffix, start: 0 })
  expect(largestDifference(expected, other)).toBeGreaterThan(0.01)
  context.close()
})
