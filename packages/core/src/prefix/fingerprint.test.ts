import { expect, test } from 'vitest'
import type { Breakpoint } from '../domain/prompt.ts'
import { fingerprint } from './fingerprint.ts'
import { aPrompt, aScope } from './testing/prompts.ts'
import { wireHashAt } from './wire-chain.ts'

const scope = aScope('acme')
const system = { content: 's'.repeat(700), kind: 'system_instructions' } as const
const history = { content: 'h'.repeat(300) }
const question = { content: 'what now?', kind: 'user_message' } as const
const mark = (pointer: string, end?: number): Breakpoint => ({ pointer, end, ttl: '5m', origin: 'client' })

test('M-4 the intended prefix ends before the last user message', () => {
  const one = fingerprint(aPrompt([system, history, question]), scope)
  const other = fingerprint(aPrompt([system, history, { ...question, content: 'and now something else?' }]), scope)
  expect(one.prefixBlocks).toBe(5)
  expect(one.wireHash).toBe(wireHashAt(one.chain, 4))
  expect(other.wireHash).toBe(one.wireHash)
  expect(fingerprint(aPrompt([system, { content: 'H' }, question]), scope).wireHash).not.toBe(one.wireHash)
})

test('M-4 with breakpoints it ends at the last of them in render order, wherever they are listed', () => {
  const prompt = aPrompt([system, history, question])
  const marked = { ...prompt, breakpoints: [mark('/messages/1/content/0'), mark('/messages/0')] }
  expect(fingerprint(marked, scope).prefixBlocks).toBe(5)
  expect(fingerprint({ ...prompt, breakpoints: [mark('/messages/0')] }, scope).prefixBlocks).toBe(3)
  expect(fingerprint({ ...prompt, breakpoints: [mark('/messages/2')] }, scope).prefixBlocks).toBe(6)
})

test('a pointer belongs to its own segment, not to one whose name it begins with', () => {
  const parts = Array.from({ length: 12 }, (_, at) => ({ content: `message ${at}` }))
  expect(fingerprint({ ...aPrompt(parts), breakpoints: [mark('/messages/11')] }, scope).prefixBlocks).toBe(12)
  expect(fingerprint({ ...aPrompt(parts), breakpoints: [mark('/messages/1')] }, scope).prefixBlocks).toBe(2)
})

test('M-4 a mark on a part keeps what follows in the same message out of the prefix', () => {
  const context = 'c'.repeat(600)
  const ask = (text: string) => {
    const prompt = aPrompt([system, { content: context + text, kind: 'user_message' }])
    const start = prompt.segments[1]?.span.start ?? 0
    return fingerprint({ ...prompt, breakpoints: [mark('/messages/1/content/0', start + 600)] }, scope)
  }
  expect(ask('first question').wireHash).toBe(ask('second question').wireHash)
  expect(ask('first question').prefixBlocks).toBe(3 + 2)
})

test('a breakpoint never moves blocks, and holes before it are not counted', () => {
  const prompt = aPrompt([{ content: 'c'.repeat(600) }])
  const [segment] = prompt.segments
  if (segment === undefined) throw new Error('the prompt has one segment')
  const { start } = segment.span
  const holed = { ...prompt, segments: [{ ...segment, holes: [{ start: start + 10, end: start + 100 }] }] }
  const found = fingerprint({ ...holed, breakpoints: [mark('/messages/0', start + 512)] }, scope)
  expect(found.chain.lanes).toEqual(fingerprint(holed, scope).chain.lanes)
  expect(found.prefixBlocks).toBe(1)
})

test('M-4 without a user message, or with nothing before it, the whole prompt is the prefix', () => {
  expect(fingerprint(aPrompt([system]), scope).prefixBlocks).toBe(3)
  expect(fingerprint(aPrompt([question]), scope).prefixBlocks).toBe(1)
  expect(fingerprint(aPrompt([]), scope)).toMatchObject({ prefixBlocks: 0, wireHash: undefined })
})

test('a breakpoint before the first whole block falls back to the next rule', () => {
  const prompt = aPrompt([{ content: 'short context and question', kind: 'user_message' }])
  const found = fingerprint({ ...prompt, breakpoints: [mark('/messages/0/content/0', 8)] }, scope)
  expect(found.prefixBlocks).toBe(1)
})
