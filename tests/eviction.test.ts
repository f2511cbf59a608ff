import type { CachePolicyName, ChainedRequest } from '@incipit/core'
import { BlockChains, readTrace, shareOfGap, simulatePolicy, textLines } from '@incipit/core'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { recordedTrace } from './support/recorded-traces.ts'

const block = 512

/** Hits of a trace in percent of its input tokens. `least` is the bar for our own policy. */
const cases = [
  { trace: 'mooncake_conversation', capacityBlocks: 1_000, lru: 4.4, min: 18.98, least: 4.1 },
  { trace: 'mooncake_conversation', capacityBlocks: 3_000, lru: 6.53, min: 28.77, least: 6.53 * 1.25 },
  { trace: 'mooncake_conversation', capacityBlocks: 10_000, lru: 21, min: 34.65, least: 21 },
  { trace: 'agentcode', capacityBlocks: 1_000, lru: 19.58, min: 50.12, least: 19.58 + 3 },
  { trace: 'agentcode', capacityBlocks: 3_000, lru: 65.07, min: 82.08, least: 65.07 + 3 },
  { trace: 'agentcode', capacityBlocks: 10_000, lru: 94.75, min: 96.06, least: 94.45 },
] as const

for (const trace of ['mooncake_conversation', 'agentcode'] as const) {
  const file = recordedTrace(trace)
  if (file === undefined) console.warn(`skipped: no ${trace}_dev.jsonl.gz in INCIPIT_TRACES or ../shared/data`)
  describe.skipIf(file === undefined)(`${trace}, blocks of ${block} tokens`, { timeout: 300_000 }, () => {
    const requests: ChainedRequest[] = []
    beforeAll(async () => {
      const chains = new BlockChains(block)
      const bytes = createReadStream(file as string).pipe(createGunzip())
      for await (const request of readTrace(textLines(bytes))) requests.push(chains.add(request))
    }, 300_000)

    test.each(cases.filter((one) => one.trace === trace))(
      'F-1 $capacityBlocks blocks: LRU and MIN have the known figures, ours its bar',
      ({ capacityBlocks, lru, min, least }) => {
        const percent = (name: CachePolicyName): number =>
          100 * (simulatePolicy(name, { requests, capacityBlocks, block }).hitRatio ?? NaN)
        expect(Math.abs(percent('lru') - lru)).toBeLessThan(0.05)
        expect(Math.abs(percent('min') - min)).toBeLessThan(0.05)
        expect(percent('incipit')).toBeGreaterThan(least)
      },
    )
  })
}

test('the share of the gap is unknown where nothing lies between LRU and MIN', () => {
  expect(shareOfGap({ lru: 0.2, policy: 0.3, min: 0.6 })).toBeCloseTo(0.25)
  expect(shareOfGap({ lru: 0.2, policy: 0.2, min: 0.2 })).toBeUndefined()
  expect(shareOfGap({ lru: undefined, policy: 0.2, min: 0.2 })).toBeUndefined()
})
