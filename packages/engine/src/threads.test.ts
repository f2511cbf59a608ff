import { expect, test } from 'vitest'
import { engineSettings } from './threads.ts'

const tiny = { parameters: 344_448, heads: 1 }
const small = { parameters: 134_515_008, heads: 9 }

test.each([
  { name: 'a tiny model stays on one thread', facts: tiny, cores: 2, threads: 'auto', expected: [1, 1] },
  { name: 'two cores', facts: small, cores: 2, threads: 'auto', expected: [1, 2] },
  { name: 'eight cores', facts: small, cores: 8, threads: 'auto', expected: [7, 8] },
  { name: 'one core', facts: small, cores: 1, threads: 'auto', expected: [1, 1] },
  { name: 'a number that was asked for', facts: tiny, cores: 2, threads: 4, expected: [4, 4] },
] as const)('threads: $name', ({ facts, cores, threads, expected }) => {
  const chosen = engineSettings({ facts, cells: 4_096, cores, threads, flashAttention: 'auto' }).threads
  expect([chosen.decode, chosen.prefill]).toEqual(expected)
})

test('a longer buffer and more heads take smaller batches', () => {
  const batch = (facts: typeof tiny, cells: number): number =>
    engineSettings({ facts, cells, cores: 2, threads: 'auto', flashAttention: 'off' }).batchTokens
  expect(batch(tiny, 4_096)).toBe(512)
  expect(batch(tiny, 131_072)).toBeLessThan(batch(tiny, 4_096))
  expect(batch(small, 131_072)).toBeLessThan(batch(small, 4_096))
  expect(batch({ parameters: 1, heads: 128 }, 1_000_000)).toBe(32)
})

test.each([
  { facts: tiny, wanted: 'auto', expected: false },
  { facts: small, wanted: 'auto', expected: true },
  { facts: tiny, wanted: 'on', expected: true },
  { facts: small, wanted: 'off', expected: false },
] as const)('flash attention $wanted with $facts.parameters parameters is $expected', ({ facts, wanted, expected }) => {
  const settings = engineSettings({ facts, cells: 4_096, cores: 2, threads: 'auto', flashAttention: wanted })
  expect(settings.flashAttention).toBe(expected)
})
