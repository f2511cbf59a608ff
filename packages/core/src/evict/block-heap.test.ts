import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockHeap } from './block-heap.ts'
import { trackBlock } from './tracked-block.ts'

test('the heap gives the oldest, then the deepest, whatever left it before', () => {
  const block = fc.record({ lastUse: fc.nat(5), depth: fc.nat(5), leaves: fc.boolean() })
  fc.assert(
    fc.property(fc.array(block, { maxLength: 40 }), (blocks) => {
      const heap = new BlockHeap<number>()
      const tracked = blocks.map(({ lastUse, depth }, key) => trackBlock(key, lastUse, depth))
      for (const one of tracked) heap.add(one)
      for (const [index, one] of tracked.entries()) if (blocks[index]?.leaves) heap.remove(one)
      const stay = tracked.filter((_, index) => !blocks[index]?.leaves)
      const expected = stay.map(({ lastUse, depth }) => [lastUse, depth])
      expected.sort(([a = 0, x = 0], [b = 0, y = 0]) => a - b || y - x)
      const found: number[][] = []
      for (let first = heap.first; first !== undefined; first = heap.first) {
        found.push([first.lastUse, first.depth])
        heap.remove(first)
      }
      expect(found).toEqual(expected)
    }),
  )
})
