import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairShare } from './fair-share.ts'
import type { Turn } from './fair-share.ts'

interface Taker {
  readonly turn: Turn
  readonly name: string
}

function taker(share: FairShare, org: string, session = ''): Taker {
  return { turn: share.enter({ org, session }), name: `${org}/${session}` }
}

const largest = 512

test('over any stretch everyone who always has something gets an equal part, but for two pieces', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: largest }), { minLength: 200, maxLength: 400 })
  fc.assert(
    fc.property(pieces, fc.integer({ min: 2, max: 9 }), (sizes, count) => {
      const share = new FairShare()
      const takers = Array.from({ length: count }, (_, index) => taker(share, `org-${index}`))
      const had = takers.map(() => [0])
      for (const size of sizes) {
        const next = share.first(takers)
        share.charge((next as Taker).turn, size)
        for (const [index, history] of had.entries()) {
          history.push((history.at(-1) ?? 0) + (takers[index] === next ? size : 0))
        }
      }
      for (let start = 0; start < sizes.length; start += 17) {
        for (let end = start; end < sizes.length; end += 23) {
          const parts = had.map((history) => (history[end] ?? 0) - (history[start] ?? 0))
          const fair = parts.reduce((sum, part) => sum + part, 0) / count
          for (const part of parts) expect(Math.abs(part - fair)).toBeLessThanOrEqual(2 * largest)
        }
      }
    }),
    { numRuns: 50 },
  )
})

test('the next is who had least, as in a naive model of those that stay', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { maxLength: 120 }), (steps) => {
      const share = new FairShare()
      const takers = [0, 1, 2, 3].flatMap((org) => [0, 1, 2].map((session) => taker(share, `o${org}`, `s${session}`)))
      const orgs = new Map<string, number>()
      const sessions = new Map<string, number>()
      // Small amounts, so that nobody falls behind by so much that a part of it is forgotten.
      for (const [org, session] of steps) {
        const chosen = takers[org * 3 + session]
        if (chosen === undefined) throw new Error('there is no such session')
        share.charge(chosen.turn, 10)
        orgs.set(`o${org}`, (orgs.get(`o${org}`) ?? 0) + 10)
        sessions.set(chosen.name, (sessions.get(chosen.name) ?? 0) + 10)
      }
      const leastOf = (names: readonly string[], had: ReadonlyMap<string, number>): string =>
        names.reduce((least, name) => ((had.get(name) ?? 0) < (had.get(least) ?? 0) ? name : least))
      const org = leastOf(['o0', 'o1', 'o2', 'o3'], orgs)
      const session = leastOf([`${org}/s0`, `${org}/s1`, `${org}/s2`], sessions)
      expect(share.first(takers)?.name).toBe(session)
    }),
  )
})

test('sessions of one organisation share its part', () => {
  const share = new FairShare()
  const takers = [taker(share, 'small'), ...[1, 2, 3].map((session) => taker(share, 'large', `${session}`))]
  const had = new Map<string, number>()
  for (let step = 0; step < 600; step++) {
    const next = share.first(takers) as Taker
    share.charge(next.turn, 10)
    had.set(next.name, (had.get(next.name) ?? 0) + 10)
  }
  expect([...had.values()].toSorted((left, right) => left - right)).toEqual([1_000, 1_000, 1_000, 3_000])
})

test('an endless row of newcomers does not hold up one that had much before they came', () => {
  const share = new FairShare()
  const long = taker(share, 'long')
  share.charge(long.turn, 5_000)
  const rival = taker(share, 'rival')
  let others = 0
  let next: Taker | undefined
  do {
    const newcomer = taker(share, `new-${others}`)
    next = share.first([long, rival, newcomer])
    expect(others++).toBeLessThan(1_000)
    if (next !== undefined) share.charge(next.turn, 20)
    share.leave(newcomer.turn)
  } while (next !== long)
})

test('who comes back gets no more than who stayed, and what was had is forgotten when nobody is left', () => {
  const share = new FairShare()
  const stays = taker(share, 'stays')
  const leaves = taker(share, 'leaves')
  for (let step = 0; step < 10; step++) share.charge(stays.turn, 100)
  share.leave(leaves.turn)
  for (let step = 0; step < 10; step++) share.charge(stays.turn, 100)
  const back = taker(share, 'leaves')
  let turns = 0
  while (share.first([stays, back]) === back) {
    share.charge(back.turn, 100)
    turns++
  }
  // It began at the clock: 500 of the time with two, 1,000 of the time alone, of the 2,000 that the other one had.
  expect(turns).toBe(5)
  share.leave(stays.turn)
  share.leave(back.turn)
  const [first, second] = [taker(share, 'stays'), taker(share, 'leaves')]
  expect(share.first([second, first])).toBe(first)
})

test('ten thousand sessions that came and went take no memory', () => {
  const share = new FairShare()
  const stays = taker(share, 'stays')
  for (let at = 0; at < 10_000; at++) {
    const passing = taker(share, `org-${at}`)
    share.charge(passing.turn, 10)
    share.leave(passing.turn)
    share.charge(stays.turn, 10)
  }
  expect(share.remembered).toBeLessThan(200)
})
