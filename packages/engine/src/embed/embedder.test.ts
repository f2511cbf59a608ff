import { rmSync } from 'node:fs'
import type { IncipitError } from '@incipit/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Model, ModelFacts } from '../native/contract.ts'
import { largestDifference, someTokens, temporaryDirectory, testContext, tinyModel } from '../testing/native-fixture.ts'
import { Embedder } from './embedder.ts'
import { embeddingSize } from './embedding-size.ts'
import { embeddingTokens } from './embedding-tokens.ts'

let directory: string
let model: Model
const open: Embedder[] = []

beforeAll(() => {
  directory = temporaryDirectory()
  model = tinyModel(directory)
})
afterEach(() => {
  for (const embedder of open.splice(0)) embedder.close()
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

function anEmbedder(
  options: { pooling?: ModelFacts['pooling']; batchTokens?: number; maxTokens?: number; maxQueued?: number } = {},
): Embedder {
  const batchTokens = options.batchTokens ?? 64
  const embedder = new Embedder({
    facts: { width: model.facts.width, pooling: options.pooling ?? 'mean' },
    batchTokens,
    sequences: 64,
    maxTokens: options.maxTokens ?? 1_000,
    maxQueued: options.maxQueued ?? 4,
    open: (size) =>
      model.createContext({ ...testContext, ...size, batchTokens, flashAttention: false, embeddings: true }),
  })
  open.push(embedder)
  return embedder
}

async function embed(embedder: Embedder, inputs: readonly Int32Array[]): Promise<readonly Float32Array[]> {
  const embedded = embedder.submit('one', inputs)
  while (await embedder.step());
  return (await embedded).vectors
}

/** The vectors of all tokens of one input, computed at once. */
async function tokenVectors(tokens: Int32Array): Promise<Float32Array[]> {
  const context = model.createContext({ ...testContext, flashAttention: false, embeddings: true })
  for (const [row, token] of tokens.entries()) {
    context.batch.tokens[row] = token
    context.batch.positions[row] = row
    context.batch.sequences[row] = 0
    context.batch.wantsLogits[row] = 1
  }
  expect(await context.decode(tokens.length)).toEqual({ kind: 'done' })
  const vectors = Array.from(tokens, (_, row) => context.embedding(row).slice())
  context.close()
  return vectors
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0))
  return vector.map((value) => value / length)
}

test.for(['mean', 'last', 'first'] as const)(
  'inputs of all lengths, cut into batches and beside each other, have the %s of their tokens',
  async (pooling) => {
    const lengths = [1, 5, 63, 64, 65, 200, 2, 1, 130]
    const inputs = lengths.map((length, seed) => someTokens(length, seed + 1))
    const vectors = await embed(anEmbedder({ pooling }), inputs)
    for (const [index, input] of inputs.entries()) {
      const all = await tokenVectors(input)
      const mean = Float32Array.from(all[0] ?? [], (_, at) => all.reduce((sum, each) => sum + (each[at] ?? 0), 0))
      const expected = unit({ mean, last: all.at(-1) ?? mean, first: all[0] ?? mean }[pooling])
      const vector = vectors[index] ?? new Float32Array(0)
      // Batches of other sizes add up in another order.
      expect(largestDifference(vector, expected)).toBeLessThan(1e-3)
      expect(largestDifference(vector, vectors[(index + 1) % inputs.length] ?? vector)).toBeGreaterThan(0.02)
    }
  },
)

test('equal requests give equal bits, whatever came before; more inputs than sequences are several batches', async () => {
  const embedder = anEmbedder()
  const inputs = Array.from({ length: 150 }, (_, seed) => someTokens(1 + (seed % 7), seed))
  const first = await embed(embedder, inputs)
  await embed(embedder, [someTokens(333, 9)])
  const second = await embed(embedder, inputs)
  expect(second).toEqual(first)
  expect(first).toHaveLength(150)
  for (const vector of first) expect(vector.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 5)
})

test('a job that nobody waits for is dropped, and the next one is not touched by it', async () => {
  const embedder = anEmbedder()
  const alone = await embed(anEmbedder(), [someTokens(40, 3)])
  const dropped = embedder.submit('dropped', [someTokens(500, 1)])
  const kept = embedder.submit('kept', [someTokens(40, 3)])
  await embedder.step()
  embedder.cancel('dropped')
  await expect(dropped).rejects.toMatchObject({ code: 'client_closed' })
  while (await embedder.step());
  expect((await kept).vectors).toEqual(alone)
  expect(embedder.pending).toBe(0)
})

test('what does not fit is refused with the numbers', () => {
  const embedder = anEmbedder({ maxTokens: 10, maxQueued: 1 })
  const refused = (action: () => unknown): Partial<IncipitError> => {
    try {
      action()
    } catch (error) {
      return error as IncipitError
    }
    throw new Error('nothing was refused')
  }
  expect(refused(() => embedder.submit('a', [someTokens(3, 1), someTokens(11, 1)]))).toMatchObject({
    code: 'context_overflow',
    message: 'input 1 is 11 tokens, 1 to 10 allowed',
  })
  embedder.submit('a', [someTokens(3, 1)]).catch(() => undefined)
  expect(refused(() => embedder.submit('b', [someTokens(3, 1)]))).toMatchObject({ code: 'overloaded' })
  expect(refused(() => anEmbedder({ pooling: 'rank' }).submit('a', []))).toMatchObject({ code: 'unsupported_feature' })
  const limits = { maxTokens: 10 }
  const beyond = model.facts.vocabularySize
  expect(refused(() => embeddingTokens(model, [[1], [beyond]], limits))).toMatchObject({
    code: 'invalid_request',
    message: `input 1 names token ${beyond}, ids from 0 to ${beyond - 1} allowed`,
  })
  expect(refused(() => embeddingTokens(model, ['x'.repeat(1_000)], limits))).toMatchObject({ code: 'context_overflow' })
  const many = Array.from({ length: 200_000 }, () => 5)
  expect(refused(() => embeddingTokens(model, [many, many], limits))).toMatchObject({
    code: 'invalid_request',
    message: 'the inputs up to 1 have 400000 tokens, 300000 allowed in one request',
  })
})

test('the context stays small, whatever the model', () => {
  const dense = { slidingWindow: 0, recurrent: false, hybrid: false }
  const small = { ...dense, kvBytesPerToken: 23_040, vocabularySize: 49_152, width: 576 }
  expect(embeddingSize(small, 16_384)).toMatchObject({ maxTokens: 5_825, batchTokens: 128, sequences: 64 })
  const large = { ...dense, kvBytesPerToken: 131_072, vocabularySize: 151_936, width: 4_096 }
  expect(embeddingSize(large, 32_768)).toMatchObject({ maxTokens: 1_024, batchTokens: 32, sequences: 32 })
  expect(embeddingSize(large, 32_768).bytes).toBeLessThan(180 * 2 ** 20)
  // A state of 40 MiB for each sequence, and one more to rename them.
  const states = embeddingSize({ ...large, kvBytesPerToken: 0, recurrent: true }, 32_768, 40 * 2 ** 20)
  expect(states.sequences).toBe(1)
  expect(states.bytes).toBeLessThan(110 * 2 ** 20)
})
