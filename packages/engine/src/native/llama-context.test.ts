import { rmSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import {
  evaluate,
  largestDifference,
  someTokens,
  temporaryDirectory,
  testContext,
  tinyModel,
} from '../testing/native-fixture.ts'
import type { Context, Model } from './contract.ts'

const prefix = someTokens(1_024, 1)
const suffix = someTokens(32, 2)
const blockTokens = 256
const scratch = 7

let directory: string
let model: Model
let context: Context

beforeAll(() => {
  directory = temporaryDirectory()
  model = tinyModel(directory)
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})
beforeEach(() => {
  context = model.createContext(testContext)
})
afterEach(() => context.close())

function all(...parts: Int32Array[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]))
}

async function cold(tokens: Int32Array): Promise<Float32Array> {
  const fresh = model.createContext(testContext)
  const logits = await evaluate(fresh, { sequence: 0, tokens, start: 0 })
  fresh.close()
  return logits
}

function snapshot(sequence: number): Uint8Array {
  const state = new Uint8Array(context.stateBytes(sequence))
  expect(context.readState(sequence, state)).toBe(state.length)
  return state
}

test('batches may be shorter than there are sequences, as long buffers make them', async () => {
  const short = model.createContext({ ...testContext, batchTokens: 32, sequences: 64 })
  const expected = await cold(suffix)
  expect(largestDifference(expected, await evaluate(short, { sequence: 63, tokens: suffix, start: 0 }))).toBe(0)
  short.close()
})

describe('reuse of KV state', () => {
  test('F-5 a shared prefix gives the logits of a cold run, bit by bit', async () => {
    const expected = await cold(all(prefix, suffix))
    await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
    context.copySequence(0, 1, 0, prefix.length)
    const actual = await evaluate(context, { sequence: 1, tokens: suffix, start: prefix.length })
    expect(largestDifference(expected, actual)).toBe(0)
  })

  test('F-5 a restored snapshot gives the logits of a cold run, bit by bit', async () => {
    const expected = await cold(all(prefix, suffix))
    await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
    const state = snapshot(0)
    expect(context.removeSequence(0, 0, -1)).toBe(true)
    expect(context.sequenceRange(0)).toEqual({ first: -1, last: -1 })
    expect(context.writeState(3, state)).toBe(true)
    expect(context.sequenceRange(3)).toEqual({ first: 0, last: prefix.length - 1 })
    const actual = await evaluate(context, { sequence: 3, tokens: suffix, start: prefix.length })
    expect(largestDifference(expected, actual)).toBe(0)
  })

  test('F-5 blocks saved and restored one by one give the logits of a cold run, bit by bit', async () => {
    const expected = await cold(all(prefix, suffix))
    await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
    const blocks: Uint8Array[] = []
    for (let start = 0; start < prefix.length; start += blockTokens) {
      context.copySequence(0, scratch, start, start + blockTokens)
      blocks.push(snapshot(scratch))
      context.removeSequence(scratch, 0, -1)
    }
    context.removeSequence(0, 0, -1)
    for (const [index, block] of blocks.entries()) {
      expect(context.writeState(scratch, block)).toBe(true)
      context.copySequence(scratch, 1, index * blockTokens, (index + 1) * blockTokens)
      context.removeSequence(scratch, 0, -1)
    }
    const actual = await evaluate(context, { sequence: 1, tokens: suffix, start: prefix.length })
    expect(largestDifference(expected, actual)).toBe(0)
  })

  test('CF-6 one differing prefix token changes the logits', async () => {
    const changed = prefix.slice()
    changed.set([(prefix.at(100) ?? 0) + 1], 100)
    expect(largestDifference(await cold(all(prefix, suffix)), await cold(all(changed, suffix)))).toBeGreaterThan(0)
  })

  test('a sequence decoded beside others gets the logits it gets alone, but for rounding', async () => {
    const expected = await cold(all(prefix, suffix.slice(0, 1)))
    await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
    for (const sequence of [1, 2]) context.copySequence(0, sequence, 0, prefix.length)
    for (const [index, token] of suffix.subarray(0, 2).entries()) {
      context.batch.tokens[index] = token
      context.batch.positions[index] = prefix.length
      context.batch.sequences[index] = index + 1
      context.batch.wantsLogits[index] = 1
    }
    expect(await context.decode(2)).toEqual({ kind: 'done' })
    // Kernels for one row and for several add up in another order.
    expect(largestDifference(expected, context.logits(0))).toBeLessThan(1e-4)
    expect(largestDifference(expected, context.logits(1))).toBeGreaterThan(0.01)
  })
})

describe('what a context refuses', () => {
  test('no room is an outcome, and the buffer stays as it was', async () => {
    for (let start = 0; start + 512 <= context.cells; start += 512) {
      // Each chunk needs the one before it.
      // oxlint-disable-next-line no-await-in-loop
      await evaluate(context, { sequence: 0, tokens: someTokens(512, start), start })
    }
    context.batch.tokens[0] = 5
    context.batch.positions[0] = context.cells
    context.batch.sequences[0] = 0
    context.batch.wantsLogits[0] = 1
    expect(await context.decode(1)).toEqual({ kind: 'full' })
    expect(context.sequenceRange(0).last).toBe(context.cells - 1)
    context.removeSequence(0, context.cells - 16, -1)
    context.batch.positions[0] = context.cells - 16
    expect(await context.decode(1)).toEqual({ kind: 'done' })
  })

  test('a state blob that is cut, empty or has a broken header is refused', async () => {
    await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
    const state = snapshot(0)
    const broken = state.slice()
    broken.fill(0xff, 0, 16)
    expect(context.writeState(1, state.subarray(0, state.length >> 1))).toBe(false)
    expect(context.writeState(1, new Uint8Array(0))).toBe(false)
    expect(context.writeState(1, broken)).toBe(false)
    expect(context.sequenceRange(1)).toEqual({ first: -1, last: -1 })
  })

  test('flipped payload bytes are taken, which is why blocks need a checksum', async () => {
    const expected = await evaluate(context, { sequence: 0, tokens: all(prefix, suffix), start: 0 })
    context.removeSequence(0, prefix.length, -1)
    const state = snapshot(0)
    const middleOfKeys = Math.trunc(state.length * 0.35)
    for (let at = middleOfKeys; at < middleOfKeys + 256; at++) state[at] = (state[at] ?? 0) ^ 0x5a
    expect(context.writeState(1, state)).toBe(true)
    const actual = await evaluate(context, { sequence: 1, tokens: suffix, start: prefix.length })
    expect(largestDifference(expected, actual)).toBeGreaterThan(0)
  })

  test('state of the other attention layout is refused, and the format names the difference', async () => {
    await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
    const state = snapshot(0)
    const other = model.createContext({ ...testContext, flashAttention: false })
    expect(other.stateFormat).not.toBe(context.stateFormat)
    expect(other.writeState(0, state)).toBe(false)
    other.close()
  })

  test('a gap in the positions is an error that says so', async () => {
    await evaluate(context, { sequence: 0, tokens: suffix, start: 0 })
    context.batch.tokens[0] = 5
    context.batch.positions[0] = 100
    context.batch.sequences[0] = 0
    context.batch.wantsLogits[0] = 1
    await expect(context.decode(1)).rejects.toThrow(/code -1.*position/s)
  })

  test('ids outside the context and the vocabulary are errors, not crashes', async () => {
    expect(() => context.copySequence(0, 8, 0, 1)).toThrow('sequence id is 8, 0 to 7 allowed')
    expect(() => context.sequenceRange(-1)).toThrow(RangeError)
    expect(() => context.logits(3)).toThrow(/no logits/)
    await expect(context.decode(513)).rejects.toThrow('batch has 513 tokens, 1 to 512 allowed')
    context.batch.tokens[0] = 100_000
    context.batch.positions[0] = 0
    context.batch.sequences[0] = 0
    await expect(context.decode(1)).rejects.toThrow(/code -1.*token/s)
    context.batch.tokens[0] = 5
    context.batch.sequences[0] = 99
    await expect(context.decode(1)).rejects.toThrow('sequence id is 99, 0 to 7 allowed')
    expect(() => model.createContext({ ...testContext, sequences: 257 })).toThrow('sequences is 257, 1 to 256 allowed')
  })

  test('overlapping calls and calls after close throw', async () => {
    const running = evaluate(context, { sequence: 0, tokens: prefix.slice(0, 512), start: 0 })
    await expect(context.decode(1)).rejects.toThrow('the context is decoding')
    expect(() => context.stateBytes(0)).toThrow('the context is decoding')
    expect(() => context.close()).toThrow('the context is decoding')
    await running
    context.close()
    context.close()
    expect(() => context.sequenceRange(0)).toThrow('the context is closed')
    await expect(context.decode(1)).rejects.toThrow('the context is closed')
  })
})

test('the event loop turns while a batch is decoded', async () => {
  let turns = 0
  let running = true
  const turn = (): void => {
    turns++
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  await evaluate(context, { sequence: 0, tokens: prefix, start: 0 })
  running = false
  expect(turns).toBeGreaterThan(3)
})
