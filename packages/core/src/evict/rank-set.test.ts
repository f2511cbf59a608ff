import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RankSet } from './rank-set.ts'

test('the next number present is that of a sorted list, whatever comes and goes', () => {
  const step = fc.record({ rank: fc.nat(99), there: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ranks = new RankSet(100)
      const naive = new Set<number>()
      for (const { rank, there } of steps) {
        if (there) ranks.add(rank)
        else ranks.delete(rank)
        if (there) naive.add(rank)
        else naive.delete(rank)
      }
      for (let from = 0; from <= 100; from++) {
        expect(ranks.next(from)).toBe([...naive].filter((rank) => rank >= from).sort((a, b) => a - b)[0] ?? -1)
      }
      ranks.clear()
      expect(ranks.next(0)).toBe(-1)
    }),
  )
})
