import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluate, someTokens, temporaryDirectory, testContext, tinyModel } from '../testing/native-fixture.ts'
import type { Context, Model } from './contract.ts'

let directory: string
let model: Model

beforeAll(() => {
  directory = temporaryDirectory()
  model = tinyModel(directory, 'tinySlidingWindow')
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

function aContext(): Context {
  return model.createContext({ ...testContext, flashAttention: false, cells: 1_024 })
}

test('D-55 positions that left the window stay while their sequence holds them, whoever needs room', async () => {
  const context = aContext()
  await evaluate(context, { sequence: 1, tokens: someTokens(400, 2), start: 0 })
  await evaluate(context, { sequence: 0, tokens: someTokens(400, 1), start: 0 })
  context.removeSequence(1, 0, -1)
  // 400 cells are free in front of sequence 0. Without the guard its own, before the window of 128, would be next.
  await evaluate(context, { sequence: 2, tokens: someTokens(600, 3), start: 0 })
  expect(context.sequenceRange(0)).toEqual({ first: 0, last: 399 })
  context.batch.tokens.fill(5, 0, 25)
  context.batch.sequences.fill(3, 0, 25)
  context.batch.wantsLogits.fill(0, 0, 25)
  for (let row = 0; row < 25; row++) context.batch.positions[row] = row
  expect(await context.decode(25)).toEqual({ kind: 'full' })
  expect(context.removeSequence(0, 0, -1)).toBe(true)
  expect(await context.decode(25)).toEqual({ kind: 'done' })
  context.close()
})

test('a copy outlives its original, and a cut keeps what is before it', async () => {
  const context = aContext()
  await evaluate(context, { sequence: 0, tokens: someTokens(500, 1), start: 0 })
  context.copySequence(0, 1, 0, 300)
  context.removeSequence(0, 0, -1)
  await evaluate(context, { sequence: 2, tokens: someTokens(400, 2), start: 0 })
  expect(context.sequenceRange(1)).toEqual({ first: 0, last: 299 })
  context.removeSequence(1, 200, -1)
  expect(context.sequenceRange(1)).toEqual({ first: 0, last: 199 })
  context.close()
})

test('half of the ids are for twins', () => {
  expect(() => model.createContext({ ...testContext, sequences: 129 })).toThrow('sequences is 129, 1 to 128 allowed')
  const context = aContext()
  expect(() => context.sequenceRange(8)).toThrow('sequence id is 8, 0 to 7 allowed')
  context.close()
})
