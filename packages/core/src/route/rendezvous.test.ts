import { assert, check, nat, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { pickReplica } from './rendezvous.ts'

const replicas = ['a', 'b', 'c', 'd']

test('CF-3 one affinity key always leads to one replica', () => {
  assert(
    property(string(), (key) => {
      expect(pickReplica(key, [...replicas])).toBe(pickReplica(key, replicas))
    }),
  )
})

test('CF-3 when a replica leaves, only its own keys move', () => {
  const moved = check(
    property(string(), nat(3), (key, gone): boolean => {
      const before = replicas[pickReplica(key, replicas)]
      const rest = replicas.filter((_, index) => index !== gone)
      const after = rest[pickReplica(key, rest)]
      return before === replicas[gone] || after === before
    }),
  )
  expect(moved.counterexample).toBeNull()
})

test('CF-3 keys spread evenly over replicas', () => {
  const eight = Array.from({ length: 8 }, (_, index) => `replica-${index}`)
  const counts = new Map<number, number>()
  for (let i = 0; i < 8_000; i++) {
    const picked = pickReplica(`session-${i}`, eight)
    counts.set(picked, (counts.get(picked) ?? 0) + 1)
  }
  for (const index of eight.keys()) expect(Math.abs((counts.get(index) ?? 0) - 1_000)).toBeLessThan(150)
})
