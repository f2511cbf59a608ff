import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelShapes, syntheticModel } from '../gguf/synthetic-model.ts'
import {
  evaluate,
  requireNative,
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
  model = tinyModel(directory)
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

describe('facts', () => {
  test('the facts of a model are those of its file', () => {
    const path = syntheticModel(modelShapes.tiny, directory)
    const file = readFileSync(path)
    expect(model.facts).toMatchObject({
      architecture: 'llama',
      name: 'tiny',
      vocabularySize: 768,
      trainedContextTokens: 32_768,
      layers: 2,
      kvBytesPerToken: 2 * 2 * (16 + 16) * 2,
      fileBytes: file.length,
      fileHash: createHash('sha256').update(file).digest('hex'),
      slidingWindow: 0,
      recurrent: false,
      hybrid: false,
      bosToken: 0,
      eosToken: 2,
      addsBos: false,
      synthetic: true,
    })
    expect(model.facts.parameters).toBeGreaterThan(100_000)
    expect(model.facts.chatTemplate).toContain('<|im_start|>')
  })

  test('kvBytesPerToken is what a snapshot takes, but for its bookkeeping', async () => {
    const context = model.createContext(testContext)
    await evaluate(context, { sequence: 0, tokens: someTokens(512, 1), start: 0 })
    const overhead = context.stateBytes(0) / 512 - model.facts.kvBytesPerToken
    expect(overhead).toBeGreaterThan(0)
    expect(overhead).toBeLessThan(16)
    context.close()
  })

  test('a sliding window is seen', () => {
    const sliding = tinyModel(directory, 'tinySlidingWindow')
    expect(sliding.facts.slidingWindow).toBe(128)
    sliding.close()
  })
})

describe('tokens', () => {
  test.each([
    ['ASCII', 'for (const message of messages) { }'],
    ['NUL inside', 'before\0after\0'],
    ['emoji and combining characters', 'naïve e\u0301 👩‍👩‍👧 𝒳 日本語'],
    ['control characters', '\u0001\t\r\n\u007f'],
  ])('text comes back from its tokens: %s', (_, text) => {
    const tokens = model.tokenize(text, { special: false })
    expect(Buffer.concat([...tokens].map((token) => model.tokenBytes(token))).toString('utf8')).toBe(text)
  })

  test('control tokens are made only where they are asked for', () => {
    expect([...model.tokenize('<|im_end|>', { special: true })]).toEqual([2])
    const plain = [...model.tokenize('<|im_end|>', { special: false })]
    expect(plain).not.toContain(2)
    expect(Buffer.concat(plain.map((token) => model.tokenBytes(token))).toString()).toBe('<|im_end|>')
  })

  test('a control token has a text, no bytes, and may end the generation', () => {
    expect(model.tokenText(2)).toBe('<|im_end|>')
    expect(model.tokenBytes(2)).toHaveLength(0)
    expect(model.endsGeneration(2)).toBe(true)
    expect(model.endsGeneration(50)).toBe(false)
  })

  test('the empty text has no tokens, and a long one all of its own', () => {
    expect(model.tokenize('', { special: true })).toHaveLength(0)
    const tokens = model.tokenize('ab '.repeat(50_000), { special: false })
    expect(Buffer.concat([...tokens].map((token) => model.tokenBytes(token))).length).toBe(150_000)
  })

  test('a token id outside the vocabulary is an error', () => {
    expect(() => model.tokenBytes(768)).toThrow('token id is 768, 0 to 767 allowed')
    expect(() => model.tokenText(-1)).toThrow(RangeError)
    expect(() => model.endsGeneration(1.5)).toThrow(RangeError)
  })
})

describe('files that are no model', () => {
  const load = (name: string, bytes: Uint8Array): (() => Model) => {
    const path = join(directory, name)
    writeFileSync(path, bytes)
    return () => requireNative().loadModel(path, { dataDir: directory })
  }
  const tiny = (): Buffer => readFileSync(syntheticModel(modelShapes.tiny, directory))

  test('each is refused with its path and a reason', () => {
    expect(load('text.gguf', Buffer.from('this is no model at all, but text'))).toThrow(
      /text\.gguf.*does not begin with "GGUF"/,
    )
    expect(load('empty.gguf', Buffer.alloc(0))).toThrow(/empty\.gguf.*0 bytes/)
    expect(load('cut.gguf', tiny().subarray(0, -1_000))).toThrow(/cut\.gguf.*cut short/)
    expect(load('header.gguf', tiny().subarray(0, 2_000))).toThrow(/header\.gguf.*but the file has 2000/)
    expect(() => requireNative().loadModel(join(directory, 'absent.gguf'), { dataDir: directory })).toThrow(
      /absent\.gguf.*ENOENT/,
    )
    expect(() => requireNative().loadModel(directory, { dataDir: directory })).toThrow(/not a regular file/)
  })

  test('a wrong version, a huge count and a tensor beyond the end are named', () => {
    const version = tiny()
    version.writeUInt32LE(9, 4)
    expect(load('version.gguf', version)).toThrow('GGUF version is 9')
    const count = tiny()
    count.writeBigUInt64LE(1n << 60n, 8)
    expect(load('count.gguf', count)).toThrow('tensor count is 1152921504606846976')
    const string = tiny()
    string.writeBigUInt64LE(1n << 40n, 24)
    expect(load('string.gguf', string)).toThrow('string length is 1099511627776')
  })

  test('what llama.cpp itself refuses carries its reason', () => {
    const text = tiny()
    text.write('outpux_norm', text.indexOf('output_norm'))
    expect(load('tensor.gguf', text)).toThrow(/cannot load model.*tensor\.gguf.*tensor 'output_norm\.weight' not found/)
  })

  test('what would make llama.cpp end the process is refused before', () => {
    const architecture = tiny()
    architecture.write('lxama', architecture.indexOf('llama'))
    expect(load('architecture.gguf', architecture)).toThrow('"lxama.block_count" is missing, 1 to 512 allowed')
    const layers = tiny()
    const key = 'llama.block_count'
    layers.writeUInt32LE(513, layers.indexOf(key) + key.length + 4)
    expect(load('layers.gguf', layers)).toThrow('"llama.block_count" is number 513, 1 to 512 allowed')
    const token = tiny()
    token.write('[unused1]', token.indexOf('[unused2]'))
    expect(load('token.gguf', token)).toThrow('vocabulary has 768 tokens, but only 767 different ones')
  })
})

test('a closed model answers with an error', () => {
  const other = tinyModel(directory)
  const context = other.createContext(testContext)
  other.close()
  other.close()
  expect(() => context.stateBytes(0)).toThrow('the context is closed')
  expect(() => other.tokenize('a', { special: false })).toThrow('the model is closed')
  expect(() => other.tokenBytes(5)).toThrow('the model is closed')
})
