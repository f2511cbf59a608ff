import { expect, test } from 'vitest'
import { BodyPool } from './body-pool.ts'

test('memory given back is used again, in the length asked for', () => {
  const pool = new BodyPool()
  const first = pool.take(200_000)
  expect(first).toHaveLength(200_000)
  pool.give(first)
  const second = pool.take(150_000)
  expect(second).toHaveLength(150_000)
  expect(second.buffer).toBe(first.buffer)
  expect(pool.take(150_000).buffer).not.toBe(first.buffer)
})

test('what is small or very large is memory of its own, and what nobody took is not kept', () => {
  const pool = new BodyPool()
  for (const bytes of [0, 1_000, 65_536, 5 * 2 ** 20]) {
    const taken = pool.take(bytes)
    expect(taken).toHaveLength(bytes)
    pool.give(taken)
    expect(pool.take(bytes).buffer).not.toBe(taken.buffer)
  }
})

test('the memory kept is bounded', () => {
  const pool = new BodyPool()
  const taken = Array.from({ length: 20 }, () => pool.take(4 * 2 ** 20))
  const before = new Set(taken.map(({ buffer }) => buffer))
  for (const block of taken) pool.give(block)
  const again = Array.from({ length: 20 }, () => pool.take(4 * 2 ** 20))
  expect(again.filter(({ buffer }) => before.has(buffer))).toHaveLength(16)
})
