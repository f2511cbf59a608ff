import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChainedRequest } from '../simulate/block-chains.ts'
import { CacheSimulation } from '../simulate/simulate-cache.ts'
import { LearningPolicy } from './learning-policy.ts'
import { LruPolicy } from './lru-policy.ts'
import type { EvictionPolicy } from './policy.ts'
import { arbitraryPaths, chained, testBlock } from './testing/chains.ts'

const end = (index: number): number => (index + 1) * testBlock

function hitRatio(policy: EvictionPolicy<number>, requests: readonly ChainedRequest[], capacityBlocks: number): number {
  const cache = new CacheSimulation({ policy, capacityBlocks, block: testBlock })
  for (const request of requests) cache.request(request)
  return cache.totals.hitRatio ?? 0
}

test('F-1 as long as nothing is learnt, the oldest goes first, of one request the last block first', () => {
  fc.assert(
    fc.property(arbitraryPaths, fc.integer({ min: 1, max: 12 }), (paths, capacityBlocks) => {
      const settings = { capacityBlocks, block: testBlock }
      const learning = new CacheSimulation({ policy: new LearningPolicy({ remembered: 1_000 }), ...settings })
      const lru = new CacheSimulation({ policy: new LruPolicy(), ...settings })
      const requests = chained(paths)
      const blocks = new Set(requests.flatMap(({ chain }) => [...chain]))
      for (const request of requests) {
        expect(learning.request(request)).toBe(lru.request(request))
        for (const block of blocks) expect(learning.has(block)).toBe(lru.has(block))
      }
    }),
  )
})

/** Agents that come back every 40 requests, among documents that are asked about once. */
function agentsAmongDocuments(length: number): ChainedRequest[] {
  return chained(
    Array.from({ length }, (_, at) => (at % 4 === 0 ? [0, at % 40, 1, 2] : [0, 1_000_000 + at, 7, 8, 9, 10, 11])),
  )
}

test('it learns which blocks come back, and keeps those', () => {
  const requests = agentsAmongDocuments(2_000)
  // 10 agents of 3 blocks and the opening fit; between two turns of an agent 210 other blocks pass.
  const lru = hitRatio(new LruPolicy(), requests, 40)
  expect(hitRatio(new LearningPolicy({ remembered: 1_000 }), requests, 40)).toBeGreaterThan(lru + 0.08)
})

/** Five of 40 agents work at a time, in any order; one whose turn is over comes back when the others had theirs. */
function agentsThatPause(length: number): { agent: number; over: boolean }[] {
  const waiting = Array.from({ length: 40 }, (_, agent) => agent)
  const active = waiting.splice(0, 5)
  let state = 1
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  return Array.from({ length }, () => {
    const place = below(active.length)
    const agent = active[place] ?? 0
    const over = below(5) === 0
    if (over) {
      active[place] = waiting.shift() ?? 0
      waiting.push(agent)
    }
    return { agent, over }
  })
}

test('it learns that who ended the turn comes back later than who called a tool', () => {
  const turns = agentsThatPause(4_000)
  const requests = chained(turns.map(({ agent }) => [0, agent + 1, 1, 2]))
  const told = requests.map((request, at) => ({ ...request, turnOver: turns[at]?.over }))
  const [untold = NaN, better = NaN] = [requests, told].map((all) =>
    hitRatio(new LearningPolicy({ remembered: 1_000 }), all, 16),
  )
  expect(better).toBeGreaterThan(untold + 0.02)
})

test('it keeps what comes back also where the blocks of answers are held before any prompt has them', () => {
  const hits = ([new LruPolicy(), new LearningPolicy({ remembered: 1_000 })] as EvictionPolicy<string>[]).map(
    (policy) => {
      const held = new Set<string>()
      const keep = (key: string, parent: string | undefined): void => {
        if (held.has(key) || (parent !== undefined && !held.has(parent))) return
        policy.admit(key, parent)
        held.add(key)
        const victim = held.size > 60 ? policy.victim() : undefined
        if (victim === undefined) return
        policy.remove(victim)
        held.delete(victim)
      }
      let hit = 0
      for (let at = 0; at < 3_000; at++) {
        // Agents take turns, with an answer of a block each; a document is asked about once.
        const [agent, turn] = [at % 10, Math.floor(at / 40) % 5]
        const path =
          at % 4 === 0
            ? [
                `agent ${agent}`,
                ...Array.from({ length: 2 * turn }, (_, step) => `${at - (at % 200)} ${agent} ${step}`),
              ]
            : Array.from({ length: 7 }, (_, step) => `document ${at} ${step}`)
        const blocks = path.map((_, index) => path.slice(0, index + 1).join())
        hit += blocks.filter((key) => held.has(key)).length
        policy.use({ blocks, end, open: false })
        const answer = at % 4 === 0 ? `${at - (at % 200)} ${agent} ${2 * turn}` : `answer ${at}`
        for (const [index, key] of [...blocks, [...path, answer].join()].entries()) keep(key, blocks[index - 1])
      }
      return hit
    },
  )
  expect(hits[1]).toBeGreaterThan(1.2 * (hits[0] ?? NaN))
})

test('it learns anew when the traffic changes', () => {
  const first = agentsAmongDocuments(2_000)
  // Afterwards the documents are asked about again, 12 requests later, and the agents are gone.
  const second = chained(Array.from({ length: 3_000 }, (_, at) => [0, 5_000_000 + (at % 24 < 12 ? at : at - 12), 3, 4]))
  const policy = new LearningPolicy<number>({ remembered: 1_000 })
  const cache = new CacheSimulation({ policy, capacityBlocks: 45, block: testBlock })
  for (const request of first) cache.request(request)
  // Numbers of blocks are those of a list of requests: these are others.
  const moved = second.map((request) => ({ ...request, chain: request.chain.map((block) => block + 1_000_000) }))
  for (const request of moved.slice(0, 1_500)) cache.request(request)
  const before = cache.totals
  for (const request of moved.slice(1_500)) cache.request(request)
  const ratio = (cache.totals.hitTokens - before.hitTokens) / (cache.totals.inputTokens - before.inputTokens)
  expect(ratio).toBeGreaterThan(hitRatio(new LruPolicy(), second.slice(1_500), 45) - 0.02)
})

test('it decides alike for equal requests, and remembers no more than it may', () => {
  const requests = agentsAmongDocuments(600)
  const remembered = 100
  const runs = [1, 2].map(() => {
    const policy = new LearningPolicy<number>({ remembered })
    const cache = new CacheSimulation({ policy, capacityBlocks: 30, block: testBlock })
    return requests.map((request) => {
      const hit = cache.request(request)
      expect(policy.tracked).toBeLessThanOrEqual(30 + remembered + request.chain.length)
      return hit
    })
  })
  expect(runs[0]).toEqual(runs[1])
})

test('a victim is held, not pinned, and nothing below it is held; there is one whenever one may go', () => {
  const step = fc.record({
    kind: fc.constantFrom('request', 'request', 'request', 'evict', 'pin', 'unpin', 'forget'),
    path: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
    weight: fc.constantFrom(0.5, 1, 3, 100),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const policy = new LearningPolicy<string>({ remembered: 20 })
      const held = new Map<string, { pins: number }>()
      const free = (): string[] =>
        [...held.keys()].filter(
          (key) => held.get(key)?.pins === 0 && ![...held.keys()].some((other) => other.startsWith(`${key}.`)),
        )
      for (const { kind, path, weight } of steps) {
        const blocks = path.map((_, index) => path.slice(0, index + 1).join('.'))
        const last = path.join('.')
        if (kind === 'request') {
          policy.use({ blocks, end, open: false })
          for (const [index, key] of blocks.entries()) {
            if (held.has(key)) continue
            policy.admit(key, blocks[index - 1], weight)
            held.set(key, { pins: 0 })
          }
        }
        const pins = held.get(last)
        if (kind === 'pin' && pins !== undefined) {
          policy.pin(last)
          pins.pins++
        }
        if (kind === 'unpin' && pins !== undefined && pins.pins > 0) {
          policy.unpin(last)
          pins.pins--
        }
        if (kind === 'forget') {
          for (const key of [...held.keys()].filter((key) => key === blocks[0] || key.startsWith(`${blocks[0]}.`))) {
            policy.forget(key)
            held.delete(key)
          }
        }
        const victim = policy.victim()
        const candidates = free()
        expect(victim === undefined ? candidates.length === 0 : candidates.includes(victim)).toBe(true)
        if (kind === 'evict' && victim !== undefined) {
          policy.remove(victim)
          held.delete(victim)
        }
      }
    }),
  )
})

test('F-1 what costs more to compute again stays, once something is known; before that the oldest goes', () => {
  const victimOf = (requests: number, weight: number): string | undefined => {
    const policy = new LearningPolicy<string>({ remembered: 10 })
    const use = (block: string): void => policy.use({ blocks: [block], end, open: false })
    // Each block is used again three requests later, and no more.
    for (let at = 0; at < requests - 3; at++) use(`${at - (Math.floor(at / 3) % 2 === 0 ? 0 : 3)}`)
    for (const block of ['older', 'newer']) {
      use(block)
      policy.admit(block, undefined, block === 'older' ? 1 : weight)
    }
    use('other')
    return policy.victim()
  }
  // The older one is expected sooner.
  expect([victimOf(50, 1), victimOf(50, 8)]).toEqual(['newer', 'older'])
  expect([victimOf(49, 1), victimOf(49, 8)]).toEqual(['older', 'older'])
})

test('what is asked before a block is computed is what becomes of it', () => {
  const step = fc.record({
    path: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
    weight: fc.constantFrom(1, 2, 5),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 1, max: 6 }), (steps, capacity) => {
      const policy = new LearningPolicy<string>({ remembered: 20 })
      const held = new Set<string>()
      const wrong: string[] = []
      for (const { path, weight } of steps) {
        const blocks = path.map((_, index) => path.slice(0, index + 1).join('.'))
        policy.use({ blocks, end, open: false })
        for (const [index, key] of blocks.entries()) {
          if (held.has(key)) continue
          // A parent that is the only end is one no longer when its child comes.
          const isAlone = policy.victim() === blocks[index - 1]
          const expected = policy.wouldKeep(key, blocks[index - 1], weight)
          policy.admit(key, blocks[index - 1], weight)
          held.add(key)
          if (held.size <= capacity) continue
          const victim = policy.victim() ?? key
          if (!isAlone && (victim !== key) !== expected) wrong.push(key)
          policy.remove(victim)
          held.delete(victim)
          if (victim === key) break
        }
      }
      expect(wrong).toEqual([])
    }),
  )
})

test('what is recalled goes in the order of its last use, and a parent behind its children', () => {
  const policy = new LearningPolicy<string>({ remembered: 10 })
  policy.recall([
    { key: 'a', parent: undefined, use: 3 },
    { key: 'a.b', parent: 'a', use: 1 },
    { key: 'a.c', parent: 'a', use: 3 },
    { key: 'd', parent: undefined, use: 2 },
  ])
  policy.use({ blocks: ['e'], end, open: false })
  policy.admit('e', undefined)
  const gone: (string | undefined)[] = []
  for (let victim = policy.victim(); victim !== undefined; victim = policy.victim()) {
    gone.push(victim)
    policy.remove(victim)
  }
  expect(gone).toEqual(['a.b', 'd', 'a.c', 'a', 'e'])
})

test('a block that is cut in two goes from its end, and its upper part knows the past', () => {
  const policy = new LearningPolicy<string>({ remembered: 10 })
  policy.use({ blocks: ['abcd'], end, open: false })
  policy.admit('abcd', undefined)
  policy.use({ blocks: ['x'], end, open: false })
  policy.admit('x', undefined)
  policy.split('abcd', 'ab')
  expect(policy.victim()).toBe('abcd')
  policy.remove('abcd')
  expect(policy.victim()).toBe('ab')
  policy.remove('ab')
  expect(policy.victim()).toBe('x')
})

test('what contradicts the state of the cache is refused', () => {
  const policy = new LearningPolicy<string>({ remembered: 10 })
  expect(() => policy.admit('child', 'parent')).toThrow('not held')
  policy.admit('parent', undefined)
  policy.admit('child', 'parent')
  expect(() => policy.admit('child', 'parent')).toThrow('held already')
  expect(() => policy.remove('parent')).toThrow('1 held children')
  expect(() => policy.unpin('child')).toThrow('not pinned')
  policy.pin('child')
  expect(() => policy.remove('child')).toThrow('pinned 1 times')
  expect(() => policy.admit('other', undefined, NaN)).toThrow('above 0, got NaN')
  expect(() => policy.split('child', 'parent')).toThrow('known already')
  expect(() => new LearningPolicy({ remembered: -1 })).toThrow('at least 0, got -1')
})
