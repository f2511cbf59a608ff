import { afterAll, beforeAll, expect, test } from 'vitest'
import { largestDifference, someTokens, temporaryDirectory, testContext, tinyModel } from '../testing/native-fixture.ts'
import type { Context, Model } from './contract.ts'

let model: Model

beforeAll(() => {
  model = tinyModel(temporaryDirectory(), 'tinyRecurrent')
})
afterAll(() => model.close())

interface Row {
  readonly token: number
  readonly position: number
  readonly sequence: number
}

async function decode(context: Context, rows: readonly Row[]): Promise<readonly Float32Array[]> {
  const { batch } = context
  for (const [index, row] of rows.entries()) {
    batch.tokens[index] = row.token
    batch.positions[index] = row.position
    batch.sequences[index] = row.sequence
    batch.wantsLogits[index] = 1
  }
  expect(await context.decode(rows.length)).toEqual({ kind: 'done' })
  // What the caller wrote is still there.
  expect([...batch.sequences.subarray(0, rows.length)]).toEqual(rows.map(({ sequence }) => sequence))
  return rows.map((_, index) => context.logits(index).slice())
}

const tokens = someTokens(30, 1)

function prompt(sequence: number): Row[] {
  return [...tokens].map((token, position) => ({ token, position, sequence }))
}

test('D-55 a recurrent sequence gives the same bits, whichever others share its batch, in whatever order', async () => {
  const context = model.createContext({ ...testContext, flashAttention: false })
  const next = (sequence: number): Row => ({ token: 77, position: tokens.length, sequence })
  const other = (sequence: number): Row => ({ token: 5, position: 0, sequence })
  await decode(context, prompt(3))
  const [expected] = await decode(context, [next(3), other(4)])
  if (expected === undefined) throw new Error('no logits')
  for (const [sequence, others] of [
    [3, [7]],
    [6, [0]],
    [2, [7, 0, 5]],
    [0, [2]],
  ] as const) {
    for (let id = 0; id < 8; id++) context.removeSequence(id, 0, -1)
    // oxlint-disable-next-line no-await-in-loop -- one context
    await decode(context, prompt(sequence))
    // oxlint-disable-next-line no-await-in-loop
    const logits = await decode(context, [...others.map(other), next(sequence)])
    expect(largestDifference(expected, logits.at(-1) ?? new Float32Array(0))).toBe(0)
    expect(context.sequenceRange(sequence).last).toBe(tokens.length)
    expect(context.sequenceRange(others[0]).last).toBe(0)
  }
  expect(() => context.sequenceRange(8)).toThrow('sequence id is 8, 0 to 7 allowed')
  context.close()
})

test('fewer tokens in a batch than sequences are no fault', () => {
  const context = model.createContext({ ...testContext, batchTokens: 4, sequences: 200, flashAttention: false })
  expect(context.batch.capacity).toBe(4)
  context.close()
  expect(() => model.createContext({ ...testContext, sequences: 256 })).toThrow('sequences is 256, 1 to 255 allowed')
})
