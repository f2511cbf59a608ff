import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context, Model } from '../native/contract.ts'
import { promptTokens } from '../template/prompt-tokenizer.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import {
  evaluate,
  largestDifference,
  requireNative,
  someTokens,
  temporaryDirectory,
  testContext,
} from '../testing/native-fixture.ts'
import { demoModelSha256, modelFile } from './demo-model.ts'

let directory: string
let model: Model
let context: Context

beforeAll(() => {
  directory = temporaryDirectory()
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
  context = model.createContext({ ...testContext, flashAttention: false })
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

const limit = 160

/** Greedy, up to `limit` tokens. */
async function answer(
  content: string,
): Promise<{ readonly tokens: number[]; readonly text: string; readonly ended: boolean }> {
  context.removeSequence(0, 0, -1)
  const prompt = promptTokens(model, aGeneration([{ role: 'user', content }]))
  let logits = await evaluate(context, { sequence: 0, tokens: prompt, start: 0 })
  const tokens: number[] = []
  let ended = false
  while (tokens.length < limit && !ended) {
    const token = logits.indexOf(Math.max(...logits))
    ended = model.endsGeneration(token)
    if (ended) break
    tokens.push(token)
    // Each token needs the one before it.
    // oxlint-disable-next-line no-await-in-loop
    logits = await evaluate(context, {
      sequence: 0,
      tokens: Int32Array.of(token),
      start: prompt.length + tokens.length - 1,
    })
  }
  const text = Buffer.concat(tokens.map((token) => model.tokenBytes(token))).toString('utf8')
  return { tokens, text, ended }
}

test('P-5 the built-in model is the same file on every machine', () => {
  const file = readFileSync(modelFile('builtin:demo', directory))
  expect(createHash('sha256').update(file).digest('hex')).toBe(demoModelSha256)
  expect(demoModelSha256).toMatch(/^[0-9a-f]{64}$/)
  expect(model.facts).toMatchObject({ trainedContextTokens: 131_072, vocabularySize: 2_048, synthetic: true })
})

test('a damaged copy is written again, an intact one is left alone, and nothing else stays behind', () => {
  // Not the file of `model`: that one is mapped into memory, and cutting it would end the process.
  const elsewhere = temporaryDirectory()
  const path = modelFile('builtin:demo', elsewhere)
  const before = statSync(path).mtimeMs
  expect(statSync(modelFile('builtin:demo', elsewhere)).mtimeMs).toBe(before)
  writeFileSync(path, 'damaged')
  modelFile('builtin:demo', elsewhere)
  expect(readFileSync(path)).toHaveLength(model.facts.fileBytes)
  expect(readdirSync(`${elsewhere}/models`)).toEqual(['incipit-demo.gguf'])
  expect(modelFile('/elsewhere/model.gguf', elsewhere)).toBe('/elsewhere/model.gguf')
  rmSync(elsewhere, { recursive: true })
})

test('what it writes depends on the prompt, can be printed, and does not repeat itself', async () => {
  const first = await answer('What is a prefix cache?')
  const second = await answer('What is a prefix cash?')
  expect(first.text).not.toBe(second.text)
  for (const { text, tokens } of [first, second]) {
    expect(text).toMatch(/^[ -~\n]*$/)
    expect(new Set(tokens).size).toBeGreaterThan(tokens.length / 4)
  }
})

test('it usually goes on to the limit, and sometimes ends by itself', async () => {
  let ended = 0
  for (let question = 1; question <= 30; question++) {
    // One context, one answer at a time.
    // oxlint-disable-next-line no-await-in-loop
    if ((await answer(`Question ${question} about things`)).ended) ended++
  }
  expect(ended).toBeGreaterThan(0)
  expect(ended).toBeLessThan(15)
})

test('F-5 how a prompt is cut into batches changes the logits by rounding only', async () => {
  const tokens = someTokens(700, 3)
  const cuts = [
    [512, 188],
    [699, 1],
    [100, 1, 1, 598],
    [16, 684],
  ]
  const results: Float32Array[] = []
  for (const cut of cuts) {
    context.removeSequence(0, 0, -1)
    let start = 0
    for (const length of cut) {
      // Each piece needs the one before it.
      // oxlint-disable-next-line no-await-in-loop
      results[cuts.indexOf(cut)] = await evaluate(context, {
        sequence: 0,
        tokens: tokens.subarray(start, start + length),
        start,
      })
      start += length
    }
  }
  for (const result of results) expect(largestDifference(result, results[0] ?? result)).toBeLessThan(1e-3)
  context.removeSequence(0, 0, -1)
  const other = await evaluate(context, { sequence: 0, tokens: someTokens(700, 4), start: 0 })
  expect(largestDifference(other, results[0] ?? other)).toBeGreaterThan(0.1)
})

test('English takes more than three characters per token', () => {
  const text =
    'The quick answer is that you should always check the report before you send it to a customer, because nothing is worse than a wrong number in an important document.'
  expect(text.length / model.tokenize(text, { special: false }).length).toBeGreaterThan(3)
})
