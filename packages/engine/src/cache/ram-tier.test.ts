import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ChainedRequest } from '@incipit/core'
import {
  BlockChains,
  CacheSimulation,
  LearningPolicy,
  recomputeWeight,
  rememberedFor,
  simulatePolicy,
} from '@incipit/core'
import { expect, test } from 'vitest'
import type { Context } from '../native/contract.ts'
import { createRandom } from '../sample/random.ts'
import { temporaryDirectory } from '../testing/native-fixture.ts'
import { blockKeys, blockTokens } from './block-key.ts'
import { DiskTier } from './disk/disk-tier.ts'
import { headerBytes } from './disk/slot-header.ts'
import type { RamTierOptions } from './ram-tier.ts'
import { RamTier } from './ram-tier.ts'

const capacityBlocks = 60
const blockBytes = 8
const identity = { modelHash: 'a'.repeat(64), stateFormat: 'test', scope: 's' }

/** A context of which only the sizes of states matter. */
function aContext(): Context {
  const { stateFormat } = identity
  return {
    stateFormat,
    copySequence: () => {},
    removeSequence: () => true,
    stateBytes: () => blockBytes,
    readState: () => {},
  } as unknown as Context
}

function aTier(options: Partial<RamTierOptions> = {}): RamTier {
  const capacityBytes = capacityBlocks * blockBytes
  const { modelHash } = identity
  return new RamTier({ context: aContext(), modelHash, capacityBytes, disk: undefined, ...options })
}

/** A request as the engine and as the simulator takes it. */
interface Replayed {
  readonly chained: ChainedRequest
  readonly prompt: Int32Array
}

/** Agents that go on, people who come back later, and documents that are asked about once. */
function aTrace(requests: number): Replayed[] {
  const random = createRandom(11)
  const chains = new BlockChains(blockTokens)
  const talks = Array.from({ length: 12 }, (_, index) => [0, 1, 100 + index])
  let next = 1_000
  return Array.from({ length: requests }, (_, at) => {
    const talk = talks[Math.floor(random() ** 2 * talks.length)] ?? []
    const isDocument = random() < 0.4
    const blocks = isDocument ? [0, ...Array.from({ length: 9 }, () => next++)] : [...talk]
    const turnOver = random() < 0.5
    if (!isDocument) {
      if (talk.length > 10) talk.splice(2)
      talk.push(next++)
    }
    const inputTokens = blocks.length * blockTokens
    const chained = chains.add({ blockTokens, blocks, inputTokens, at, session: undefined, turnOver })
    return {
      chained,
      prompt: Int32Array.from({ length: inputTokens }, (_, token) => blocks[Math.floor(token / 64)] ?? 0),
    }
  })
}

/** What a request finds in RAM; when it has ended, what it leaves there. */
function request(tier: RamTier, { prompt, chained }: Replayed): number {
  const found = tier.find(identity.scope, prompt, 0)
  tier.hold(found)()
  tier.use({ scope: identity.scope, prompt, turnOver: chained.turnOver })
  tier.saveNow({ scope: identity.scope, tokens: prompt, sequence: 3 }, prompt.length)
  return found.tokens
}

test('F-1 the RAM tier hits what `incipit simulate cache` says, and more than by least recent use', () => {
  const trace = aTrace(1_500)
  const tier = aTier()
  const hits = trace.reduce((sum, replayed) => sum + request(tier, replayed), 0)
  const question = { requests: trace.map(({ chained }) => chained), capacityBlocks, block: blockTokens }
  expect(hits).toBe(simulatePolicy('incipit', question).hitTokens)
  expect(hits).toBeGreaterThan(1.1 * simulatePolicy('lru', question).hitTokens)
})

test('F-1 the RAM tier and the simulator hold the same blocks behind every request, weights included', () => {
  const trace = aTrace(600)
  const weightAt = (position: number): number => recomputeWeight(position, 100)
  const tier = aTier({ weightOf: (depth) => weightAt(depth * blockTokens) })
  const policy = new LearningPolicy<number>({ remembered: rememberedFor(capacityBlocks) })
  const simulation = new CacheSimulation({ policy, capacityBlocks, block: blockTokens, weightAt })
  const keys = new Map<number, string>()
  for (const replayed of trace) {
    const { chained, prompt } = replayed
    expect(request(tier, replayed)).toBe(simulation.request(chained))
    for (const [index, key] of blockKeys(identity, prompt).entries()) keys.set(chained.chain[index] ?? -1, key)
    expect([...keys].filter(([block, key]) => simulation.has(block) !== tier.pool.has(key))).toEqual([])
  }
  expect(tier.pool.size).toBe(capacityBlocks)
  expect(tier.pool.evicted).toBeGreaterThan(1_000)
})

test('F-1 what RAM would not keep reaches the disk, and nothing is copied for a disk that would not keep it either', async () => {
  const directory = temporaryDirectory()
  try {
    const trace = aTrace(200)
    const blocks = new Set(trace.flatMap(({ chained }) => [...chained.chain]))
    const replay = async (diskBlocks: number): Promise<{ onDisk: number; dropped: number }> => {
      const capacityBytes = diskBlocks * (blockBytes + headerBytes)
      const folder = join(directory, String(diskBlocks))
      const disk = await DiskTier.open({ ...identity, directory: folder, capacityBytes, now: Date.now })
      if (typeof disk === 'string') throw new Error(disk)
      const tier = aTier({ disk })
      for (const replayed of trace) {
        request(tier, replayed)
        // oxlint-disable-next-line no-await-in-loop -- one request after the other
        await disk.flush(10_000)
      }
      await disk.close()
      return { onDisk: disk.blocks, dropped: tier.pool.evicted }
    }
    const large = await replay(blocks.size)
    expect(large.onDisk).toBe(blocks.size)
    const small = await replay(10)
    expect(small.onDisk).toBe(10)
    expect(small.dropped).toBeLessThan(large.dropped)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
