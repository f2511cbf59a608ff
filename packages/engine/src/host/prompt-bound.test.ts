import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { aGeneration, aTool } from '../testing/generation-fixture.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { checkPromptBound, promptBound } from './prompt-bound.ts'

const directory = temporaryDirectory()
let model: Model
beforeAll(() => {
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterAll(() => {
  model.close()
  rmSync(directory, { recursive: true })
})

test('the bound is the longest token of the vocabulary for every token of the context', () => {
  const lengths = Array.from({ length: model.facts.vocabularySize }, (_, token) => model.tokenBytes(token).length)
  expect(promptBound(model, 4_096)).toEqual({ contextTokens: 4_096, longestTokenBytes: Math.max(...lengths) })
})

test('text counts in bytes, wherever the client wrote it; what just fits passes', () => {
  const bound = { contextTokens: 10, longestTokenBytes: 4 }
  const check = (content: string) => () => checkPromptBound(aGeneration([{ role: 'user', content }]), bound)
  expect(check('x'.repeat(40))).not.toThrow()
  expect(check('x'.repeat(41))).toThrow('prompt is 41 bytes of text, 40 allowed by a context of 10 tokens')
  expect(check('é'.repeat(21))).toThrow('prompt is 42 bytes of text')
  const described = aGeneration([{ role: 'user', content: 'x' }], [aTool('t', 'y'.repeat(40))])
  expect(() => checkPromptBound(described, bound)).toThrow(/bytes of text, 40 allowed/)
  const call = { id: '1', name: 'f', arguments: 'z'.repeat(39) }
  const called = aGeneration([{ role: 'assistant', content: '', toolCalls: [call] }])
  expect(() => checkPromptBound(called, bound)).toThrow('prompt is 41 bytes of text')
  const thought = aGeneration([{ role: 'assistant', content: 'x', reasoning: 'y'.repeat(40) }])
  expect(() => checkPromptBound(thought, bound)).toThrow('prompt is 41 bytes of text')
})

test('every message is at least a token', () => {
  const messages = Array.from({ length: 10 }, () => ({ role: 'user', content: '' }) as const)
  const bound = { contextTokens: 10, longestTokenBytes: 4 }
  expect(() => checkPromptBound(aGeneration(messages), bound)).toThrow('prompt has 10 messages, 9 allowed')
})
