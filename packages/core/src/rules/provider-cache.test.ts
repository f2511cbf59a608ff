import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CacheBuckets } from '../domain/cached-prompt.ts'
import { epochMs } from '../domain/units.ts'
import type { CacheBehaviour } from './cache-behaviour.ts'
import { cacheBehaviour } from './cache-behaviour.ts'
import type { ProviderQuestion, PrefixEnd } from './provider-cache.ts'
import { ProviderCache } from './provider-cache.ts'

const start = Date.UTC(2026, 10, 20)
const minutes = (count: number): number => count * 60_000
const anthropic: CacheBehaviour = { ...cacheBehaviour('anthropic', 'claude-opus-4-1', epochMs(start)), minTokens: 10 }
const openai: CacheBehaviour = { ...cacheBehaviour('openai', 'gpt-5.6-sol', epochMs(start)), minTokens: 10 }
const stepped: CacheBehaviour = { ...cacheBehaviour('openai', 'gpt-4o', epochMs(start)), minTokens: 8, stepTokens: 4 }

/** Blocks of 10 tokens each, written as letters; an upper-case one is marked. */
function prompt(blocks: string, at: number, more: Partial<ProviderQuestion> = {}): ProviderQuestion {
  const ends = Array.from(blocks, (letter, index): PrefixEnd => {
    const marked = letter !== letter.toLowerCase()
    return {
      hash: blocks.slice(0, index + 1).toLowerCase(),
      tokens: (index + 1) * 10,
      ...(marked ? { mark: { life: undefined } } : {}),
    }
  })
  return { scope: 'org', tokens: blocks.length * 10 + 1, ends, at: epochMs(start + at), ...more }
}

test('P-1 a mark stores, a later mark within 20 blocks reads, and what is new is written', () => {
  const cache = new ProviderCache()
  const ask = (blocks: string, at: number): CacheBuckets => cache.lookUp(prompt(blocks, at), anthropic).settle()
  expect(ask('abC', 0)).toEqual({ fresh: 1, read: 0, write5m: 30, write1h: 0 })
  expect(ask('abcD', 1)).toEqual({ fresh: 1, read: 30, write5m: 10, write1h: 0 })
  // Without a mark nothing is read, whatever is stored.
  expect(ask('abcd', 2)).toEqual({ fresh: 41, read: 0, write5m: 0, write1h: 0 })
  // The block of the mark counts: an entry 19 blocks before it is seen, one 20 before is not.
  expect(ask(`abcd${'x'.repeat(18)}X`, 3).read).toBe(40)
  expect(ask(`abcd${'y'.repeat(19)}Y`, 4).read).toBe(0)
})

test('P-1 entries live 5 minutes or an hour from the start of the last request that read them', () => {
  const cache = new ProviderCache()
  const hour = (blocks: string, at: number): CacheBuckets =>
    cache.lookUp(prompt(blocks, at, { life: '1h' }), anthropic).settle()
  const ask = (blocks: string, at: number): CacheBuckets => cache.lookUp(prompt(blocks, at), anthropic).settle()
  ask('A', 0)
  expect(ask('A', minutes(5) - 1).read).toBe(10)
  expect(ask('A', minutes(10) - 2).read).toBe(10)
  expect(ask('A', minutes(15) - 2).read).toBe(0)
  expect(hour('B', minutes(20))).toMatchObject({ write1h: 10, write5m: 0 })
  expect(ask('B', minutes(79)).read).toBe(10)
  expect(ask('B', minutes(138)).read).toBe(10)
})

test('P-2 implicit caching stores the last message, reads earlier ends, and counts steps before GPT-5.6', () => {
  const cache = new ProviderCache()
  const end = (hash: string, tokens: number): PrefixEnd => ({ hash, tokens, ending: true })
  const ask = (ends: readonly PrefixEnd[], more: Partial<ProviderQuestion> = {}): CacheBuckets =>
    cache.lookUp({ scope: 'o', tokens: 100, ends, at: epochMs(start), ...more }, openai).settle()
  expect(ask([end('a', 20)])).toEqual({ fresh: 80, read: 0, write30m: 20 })
  expect(ask([end('a', 20), end('ab', 50)])).toEqual({ fresh: 50, read: 20, write30m: 30 })
  expect(ask([end('a', 20), end('ab', 50)], { mode: 'explicit' })).toEqual({ fresh: 100, read: 0, write30m: 0 })
  const steps = (hashes: readonly string[], tokens: number): CacheBuckets =>
    cache.lookUp({ scope: 'o', tokens, ends: [], stepHashes: hashes, at: epochMs(start) }, stepped).settle()
  expect(steps(['1', '12', '123'], 13)).toEqual({ fresh: 13, read: 0 })
  expect(steps(['1', '12', '123', '1234'], 17)).toEqual({ fresh: 5, read: 12 })
  expect(steps(['1', '12', '129'], 12)).toEqual({ fresh: 4, read: 8 })
})

test('P-7 what is not there any more is not read, and is forgotten', () => {
  const cache = new ProviderCache()
  cache.lookUp(prompt('aBcD', 0), anthropic).settle()
  expect(cache.lookUp(prompt('aBcD', 1), anthropic).settle(25)).toMatchObject({ read: 25, write5m: 15 })
  // Forgotten, and stored anew: the request computed it.
  expect(cache.lookUp(prompt('aBcd', 2), anthropic).settle(0)).toMatchObject({ read: 0, write5m: 20 })
  expect(cache.lookUp(prompt('abcD', 3), anthropic).settle(9)).toMatchObject({ read: 0, write5m: 40 })
  expect(cache.reset('or')).toBe(2)
  expect(cache.size).toBe(0)
})

test('an answer that has not begun leaves nothing to read', () => {
  const cache = new ProviderCache()
  const first = cache.lookUp(prompt('A', 0), anthropic)
  const second = cache.lookUp(prompt('A', 1), anthropic)
  first.settle()
  expect(second.settle().read).toBe(0)
  expect(cache.lookUp(prompt('A', 2), anthropic).settle().read).toBe(10)
})

/** The rules once more, without hashes, maps and refreshed order: a list of stored prefixes. */
class NaiveCache {
  stored: { readonly scope: string; readonly blocks: string; readonly idleMs: number; until: number }[] = []

  ask(question: ProviderQuestion, held: number): CacheBuckets {
    const { ends, at, scope } = question
    const text = ends.at(-1)?.hash ?? ''
    const marks = ends.flatMap(({ mark }, index) => (mark === undefined ? [] : [{ index, life: mark.life ?? '5m' }]))
    let read = 0
    const used = new Set<string>()
    const gone = new Set<string>()
    for (const { index } of marks) {
      for (let back = 0; back < 20 && index - back >= 0; back++) {
        const length = index - back + 1
        const blocks = text.slice(0, length)
        const known = this.stored.some((entry) => entry.scope === scope && entry.blocks === blocks && entry.until > at)
        if (!known) continue
        const there = Math.min(length * 10, held)
        if (there < 10) gone.add(blocks)
        else used.add(blocks)
        if (there >= 10) read = Math.max(read, there)
        break
      }
    }
    for (const entry of this.stored) {
      if (entry.scope === scope && used.has(entry.blocks) && entry.until > at) {
        entry.until = Math.max(entry.until, at + entry.idleMs)
      }
    }
    this.stored = this.stored.filter((entry) => !(entry.scope === scope && gone.has(entry.blocks)))
    const buckets = { fresh: 0, read, write5m: 0, write1h: 0 }
    for (let token = read; token < question.tokens; token++) {
      const mark = marks.find(({ index }) => token < (index + 1) * 10)
      if (mark === undefined) buckets.fresh++
      else buckets[mark.life === '1h' ? 'write1h' : 'write5m']++
    }
    for (const { index, life } of marks) {
      const blocks = text.slice(0, index + 1)
      if (blocks.length * 10 <= read) continue
      this.stored = this.stored.filter((entry) => entry.scope !== scope || entry.blocks !== blocks)
      const idleMs = minutes(life === '1h' ? 60 : 5)
      this.stored.push({ scope, blocks, idleMs, until: at + idleMs })
    }
    return buckets
  }
}

test('P-1 random conversations are counted as a naive model of the rules counts them', () => {
  const request = fc.record({
    blocks: fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 30 }),
    marks: fc.array(fc.nat(29), { maxLength: 4 }),
    hours: fc.nat(4),
    scope: fc.constantFrom('x', 'xy'),
    waited: fc.constantFrom(0, minutes(1), minutes(4), minutes(5), minutes(59)),
    held: fc.oneof(fc.constant(Infinity), fc.nat(300)),
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
      const cache = new ProviderCache()
      const naive = new NaiveCache()
      let at = start
      for (const { blocks, marks, hours, scope, waited, held } of requests) {
        at += waited
        // Runs of one letter are shared by many of the requests.
        const text = blocks.toSorted().join('')
        const places = [...new Set(marks)].filter((mark) => mark < text.length).toSorted((a, b) => a - b)
        const ends = Array.from(text, (_, index): PrefixEnd => {
          const place = places.indexOf(index)
          const life = place < hours ? '1h' : '5m'
          const mark = place < 0 ? {} : { mark: { life } as const }
          return { hash: text.slice(0, index + 1), tokens: (index + 1) * 10, ...mark }
        })
        const question = { scope, tokens: text.length * 10 + 3, ends, at: epochMs(at) }
        const buckets = cache.lookUp(question, anthropic).settle(held)
        expect(buckets).toEqual(naive.ask(question, held))
        const { fresh, read, write5m = 0, write1h = 0 } = buckets
        expect(fresh + read + write5m + write1h).toBe(question.tokens)
        expect(read).toBeLessThanOrEqual(held)
      }
    }),
    { numRuns: 300 },
  )
})
