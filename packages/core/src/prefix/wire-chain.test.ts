import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Segment } from '../domain/prompt.ts'
import { aPrompt, aScope } from './testing/prompts.ts'
import type { WireChain } from './wire-chain.ts'
import { wireBlockBytes, wireChain, wireHashAt } from './wire-chain.ts'

const scope = aScope('acme')

const hashes = (chain: WireChain): string[] => Array.from(chain.weights, (_, block) => wireHashAt(chain, block))
const hashesOf = (parts: readonly string[], gap?: number): string[] => hashes(wireChain(aPrompt(parts, gap), scope))

test('M-4 published vectors: the hash of stored rows never changes by accident', () => {
  const pattern = (length: number): string =>
    Array.from({ length }, (_, at) => String.fromCharCode(32 + (at % 95))).join('')
  // The seed is given, so that these numbers say nothing of how a scope derives its own.
  const seeded = { key: scope.key, org: scope.org, seed: [414565544, 4105038615] as const, narrowed: () => scope }
  const hashesOf = (parts: readonly string[]): string[] => hashes(wireChain(aPrompt(parts), seeded))
  expect(hashesOf([])).toEqual([])
  expect(hashesOf([''])).toEqual(['f40da611d6843010'])
  expect(hashesOf(['a'])).toEqual(['295914a114884262'])
  expect(hashesOf(['{"role":"user","content":"hello"}'])).toEqual(['ac323b813ac5236a'])
  expect(hashesOf([pattern(256)])).toEqual(['4eb12d391c9591aa'])
  expect(hashesOf([pattern(600), pattern(7)])).toEqual([
    '230ef08e17b00ac3',
    'e574916553c2135a',
    '90a985d8eb6df542',
    'f85655aff032c11a',
  ])
  expect(hashesOf([pattern(70_000)]).at(-1)).toBe('fa6d4b3ba4cf3496')
})

test('blocks have 256 bytes and break at segment ends', () => {
  const chain = wireChain(aPrompt(['x'.repeat(600), '', 'y'.repeat(256), 'z']), scope)
  expect(Array.from(chain.weights)).toEqual([256, 256, 88, 0, 256, 1])
  expect(Array.from(chain.segmentEnds)).toEqual([2, 3, 4, 5])
})

test('CF-6 a chain is shared exactly as far as bytes and segment ends are', () => {
  const text = fc.string({ maxLength: 600, unit: 'grapheme-ascii' })
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 4 }),
      fc.array(text, { maxLength: 4 }),
      fc.array(text, { maxLength: 4 }),
      (shared, left, right) => {
        const one = hashesOf([...shared, ...left])
        const other = hashesOf([...shared, ...right])
        const sharedBlocks = hashesOf(shared).length
        expect(other.slice(0, sharedBlocks)).toEqual(one.slice(0, sharedBlocks))
        const differs = one.findIndex((hash, block) => hash !== other[block])
        const equalAgain = differs < 0 ? [] : one.slice(differs).filter((hash, at) => hash === other[differs + at])
        expect(equalAgain).toEqual([])
      },
    ),
  )
})

test('CF-6 one differing byte changes its own block and every later one, and none before', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, where, flip) => {
        const changed = Uint8Array.from(bytes)
        const at = where % bytes.length
        changed[at] = (changed[at] ?? 0) ^ flip
        const before = hashes(wireChain(aPrompt([{ content: bytes }]), scope))
        const after = hashes(wireChain(aPrompt([{ content: changed }]), scope))
        const block = Math.floor(at / wireBlockBytes)
        expect(after.slice(0, block)).toEqual(before.slice(0, block))
        before.slice(block).forEach((hash, index) => expect(after[block + index]).not.toBe(hash))
      },
    ),
  )
})

test('bytes moved between neighbouring segments change the chain', () => {
  const whole = 'x'.repeat(wireBlockBytes * 2)
  const last = [0, 1, 255, 256, 257, 511, 512].map((cut) => hashesOf([whole.slice(0, cut), whole.slice(cut)]).at(-1))
  expect(new Set([...last, hashesOf([whole]).at(-1)]).size).toBe(8)
  expect(hashesOf(['a', '', 'b'])).not.toEqual(hashesOf(['a', 'b']))
})

test('zero bytes count: padding never stands for content', () => {
  expect(new Set(['', '\0', '\0\0', '\0'.repeat(8), '\0'.repeat(9)].map((text) => hashesOf([text])[0])).size).toBe(5)
})

test('where a segment stands in the body and what surrounds it is not content', () => {
  expect(hashesOf(['alpha', 'beta'], 0)).toEqual(hashesOf(['alpha', 'beta'], 3))
})

test('a longer prompt before leaves no trace in the next', () => {
  const before = hashesOf(['short'])
  hashesOf(['\xff'.repeat(200_000)])
  expect(hashesOf(['short'])).toEqual(before)
})

test('what is cut out by holes hashes as if it had never been, wherever a body begins in its buffer', () => {
  // Pieces of content, and before each a piece that is a hole or stands between segments.
  const piece = fc.tuple(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 600 }))
  const segments = fc.array(fc.array(piece, { minLength: 1, maxLength: 4 }), { maxLength: 5 })
  fc.assert(
    fc.property(segments, fc.nat(9), (segments, offset) => {
      const marked: Segment['span'][][] = []
      const bytes: number[] = Array.from({ length: offset }, () => 0xaa)
      for (const pieces of segments) {
        const spans = pieces.map(([gap, content]) => {
          bytes.push(...gap)
          const start = bytes.length - offset
          bytes.push(...content)
          return { start, end: bytes.length - offset }
        })
        marked.push(spans)
      }
      const body = Uint8Array.from(bytes).subarray(offset)
      const withHoles = marked.map((spans) => ({
        span: { start: Math.min(...spans.map(({ start }) => start)), end: Math.max(...spans.map(({ end }) => end)) },
        holes: spans.slice(1).map(({ start }, index) => ({ start: spans[index]?.end ?? -1, end: start })),
      }))
      const plain = segments.map((pieces) => ({
        content: Uint8Array.from(pieces.flatMap(([, content]) => [...content])),
      }))
      expect(hashes(wireChain({ body, segments: withHoles }, scope))).toEqual(hashes(wireChain(aPrompt(plain), scope)))
    }),
  )
})

test('holes are not content: a mark that comes and goes changes no prefix', () => {
  const encoder = new TextEncoder()
  const plain = encoder.encode('{"text":"hello"}')
  const marked = encoder.encode('{"text":"hello","cache_control":{"type":"ephemeral"}}')
  const hole = { start: 15, end: marked.length - 1 }
  const withHole = wireChain(
    { body: marked, segments: [{ span: { start: 0, end: marked.length }, holes: [hole] }] },
    scope,
  )
  const without = wireChain({ body: plain, segments: [{ span: { start: 0, end: plain.length } }] }, scope)
  expect(hashes(withHole)).toEqual(hashes(without))
})

test('F-3 P-6 equal prompts of two scopes share no hash', () => {
  const prompt = aPrompt(['x'.repeat(1_000)])
  const mine = new Set(hashes(wireChain(prompt, scope)))
  expect(hashes(wireChain(prompt, aScope('other'))).filter((hash) => mine.has(hash))).toEqual([])
})

test('100,000 blocks that differ in one number collide neither in 64 bits nor too often in one lane', () => {
  const encoder = new TextEncoder()
  const texts = Array.from({ length: 100_000 }, (_, at) => encoder.encode(`{"role":"user","content":"item ${at}"}`))
  const chains = texts.map((body) => wireChain({ body, segments: [{ span: { start: 0, end: body.length } }] }, scope))
  expect(new Set(chains.map((chain) => wireHashAt(chain, 0))).size).toBe(texts.length)
  // A random 32-bit lane has about 1.2 pairs among 100,000; ten is beyond one in a million.
  for (const lane of [0, 1])
    expect(new Set(chains.map((chain) => chain.lanes[lane])).size).toBeGreaterThan(texts.length - 10)
})

test('a span outside the body is refused', () => {
  const body = new Uint8Array(4)
  expect(() => wireChain({ body, segments: [{ span: { start: 2, end: 5 } }] }, scope)).toThrow(RangeError)
  expect(() => wireChain({ body, segments: [{ span: { start: 3, end: 2 } }] }, scope)).toThrow(RangeError)
  const holes = [
    { start: 3, end: 4 },
    { start: 1, end: 2 },
  ]
  expect(() => wireChain({ body, segments: [{ span: { start: 0, end: 4 }, holes }] }, scope)).toThrow(RangeError)
  expect(() => wireHashAt(wireChain({ body, segments: [] }, scope), 0)).toThrow(RangeError)
})
