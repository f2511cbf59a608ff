import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { aUse } from '../testing/chain-use.ts'
import { BlockPool } from './block-pool.ts'
import type { NewPoolBlock } from './block-pool.ts'

const aBlock = (key: string, parentKey?: string, scope = 's'): NewPoolBlock => ({
  key,
  parentKey,
  scope,
  tokens: Int32Array.of(key.length, ...Buffer.from(key)),
  bytes: 10,
})
const tokensOf = (key: string): Int32Array => aBlock(key).tokens

/** A request of these blocks, and what it leaves behind. */
function request(pool: BlockPool, ...keys: readonly string[]): void {
  pool.use(aUse(keys))
  for (const [index, key] of keys.entries()) if (!pool.has(key)) pool.add(aBlock(key, keys[index - 1]))
}

test('F-1 as long as nothing is learnt the coldest chain goes first, children before parents', () => {
  const pool = new BlockPool(40)
  request(pool, 'a1', 'a2')
  request(pool, 'b1', 'b2')
  request(pool, 'a1', 'a2')
  const gone: string[] = []
  for (const key of ['c1', 'c2', 'c3', 'c4']) {
    const before = ['a1', 'a2', 'b1', 'b2'].filter((one) => pool.has(one))
    request(pool, key)
    gone.push(...before.filter((one) => !pool.has(one)))
  }
  expect(gone).toEqual(['b2', 'b1', 'a2', 'a1'])
  expect([pool.size, pool.bytes, pool.evicted]).toEqual([4, 40, 4])
})

test('what would go at once is not kept, unless it is on its way to the disk', () => {
  const pool = new BlockPool(20)
  pool.use(aUse(['old']))
  request(pool, 'a1', 'a2')
  expect(pool.add(aBlock('old'))).toBeUndefined()
  expect(pool.has('a2')).toBe(true)
  expect(pool.add({ ...aBlock('old'), passing: true })).toBeDefined()
  expect(['a1', 'a2', 'old'].map((key) => pool.has(key))).toEqual([true, false, true])
})

test('what a lookup found stays until it is let go', () => {
  const pool = new BlockPool(40)
  request(pool, 'a1', 'a2')
  request(pool, 'b1', 'b2')
  const letGo = pool.hold(['a1', 'a2', 'a3'])
  request(pool, 'c1', 'c2')
  expect(['a1', 'a2', 'b1', 'b2'].map((key) => pool.has(key))).toEqual([true, true, false, false])
  letGo()
  request(pool, 'd1', 'd2')
  expect(['a1', 'a2', 'c1', 'c2'].map((key) => pool.has(key))).toEqual([false, false, true, true])
})

test('buffers are made once and reused', () => {
  const pool = new BlockPool(20)
  const first = pool.add(aBlock('a'))
  pool.add(aBlock('b'))
  expect(pool.add(aBlock('c'))).toBe(first)
  pool.reset('')
  expect([pool.size, pool.bytes]).toEqual([0, 20])
})

test('D-53 a block is served only for its own tokens', () => {
  const pool = new BlockPool(20)
  pool.add(aBlock('a'))
  expect(pool.find('a', tokensOf('a'))).toBeDefined()
  expect(pool.find('a', tokensOf('b'))).toBeUndefined()
})

test('without a budget, without the parent, or in another size nothing is kept', () => {
  expect(new BlockPool(0).add(aBlock('a'))).toBeUndefined()
  const pool = new BlockPool(100)
  expect(pool.add(aBlock('a2', 'a1'))).toBeUndefined()
  pool.add(aBlock('a1'))
  expect(pool.add({ ...aBlock('b1'), bytes: 11 })).toBeUndefined()
  expect(pool.add(aBlock('a1'))).toBeUndefined()
})

test('a block never makes room by dropping its own parent', () => {
  const pool = new BlockPool(10)
  pool.add(aBlock('a1'))
  expect(pool.add(aBlock('a2', 'a1'))).toBeUndefined()
  expect(pool.has('a1')).toBe(true)
})

test('every block that is kept can be reached from its first', () => {
  const key = fc.string({ unit: fc.constantFrom('x', 'y'), minLength: 1, maxLength: 5 })
  const steps = fc.array(fc.record({ key, touch: fc.boolean() }), { maxLength: 120 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 10, max: 90 }), (actions, capacity) => {
      const pool = new BlockPool(capacity)
      const seen = new Set<string>()
      for (const { key, touch } of actions) {
        const chain = Array.from({ length: key.length }, (_, index) => key.slice(0, index + 1))
        if (touch) pool.use(aUse(chain))
        else pool.add(aBlock(key, chain.at(-2)))
        seen.add(key)
        expect(pool.bytes).toBeLessThanOrEqual(capacity)
        const orphans = [...seen].filter((one) => pool.has(one) && one.length > 1 && !pool.has(one.slice(0, -1)))
        expect(orphans).toEqual([])
      }
    }),
  )
})

test('F-4 a reset drops the scopes that begin with the prefix', () => {
  const pool = new BlockPool(100)
  pool.add(aBlock('a', undefined, 'org1-x'))
  pool.add(aBlock('b', undefined, 'org2'))
  expect(pool.reset('org1')).toEqual({ blocks: 1, bytes: 10 })
  expect([pool.has('a'), pool.has('b')]).toEqual([false, true])
})
