import * as fc from 'fast-check'
import type { ChainedRequest } from '../../simulate/block-chains.ts'
import { BlockChains } from '../../simulate/block-chains.ts'

export const testBlock = 512

/** Paths of a small tree, so that requests share openings. */
export const arbitraryPaths: fc.Arbitrary<number[][]> = fc.array(
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }),
  { maxLength: 40 },
)

/** Requests of full blocks with the given ids. */
export function chained(paths: readonly (readonly number[])[]): ChainedRequest[] {
  const chains = new BlockChains(testBlock)
  return paths.map((blocks) =>
    chains.add({
      blockTokens: testBlock,
      blocks,
      inputTokens: blocks.length * testBlock,
      at: 0,
      session: undefined,
      turnOver: undefined,
    }),
  )
}
