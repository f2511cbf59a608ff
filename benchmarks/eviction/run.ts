import type { ChainedRequest } from '@incipit/core'
import { BlockChains, readTrace, shareOfGap, simulatePolicy, textLines } from '@incipit/core'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { table } from '../support/table.ts'
import type { WeightResult } from './weights.ts'
import { measureWeights } from './weights.ts'

/** What one policy did with one trace. */
interface Result {
  readonly trace: string
  readonly block: number
  readonly capacityBlocks: number
  readonly lru: number
  readonly incipit: number
  readonly min: number
  /** Part of the way from LRU to MIN; null where there is none. */
  readonly shareOfGap: number | null
  /** Microseconds of CPU per request, the look-up of the simulation included. */
  readonly lruMicros: number
  readonly incipitMicros: number
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    folder: { type: 'string', default: process.env['INCIPIT_TRACES'] ?? join(root, '../shared/data') },
    traces: { type: 'string', default: 'mooncake_conversation,mooncake_synthetic,agentcode' },
    block: { type: 'string', default: '512' },
    capacities: { type: 'string', default: '500,1000,2000,3000,5000,10000,20000' },
    /** all | halves | groups: the whole trace, its halves in time, or two groups of prompts by their opening. */
    split: { type: 'string', default: 'all' },
    /** Compares weights by cost instead: the position at which attention costs as much as all else. */
    'even-at': { type: 'string' },
  },
})
const block = Number(flags.block)
const evenAt = flags['even-at'] === undefined ? undefined : Number(flags['even-at'])
const results: Result[] = []
const weights: WeightResult[] = []
for (const trace of flags.traces.split(',')) {
  const file = join(flags.folder, `${trace}_dev.jsonl.gz`)
  if (!existsSync(file)) {
    console.error(`skipped: ${file} does not exist; --folder or INCIPIT_TRACES says where traces are`)
    continue
  }
  for (const [name, requests] of splits(trace, await readRequests(file))) {
    for (const capacity of flags.capacities.split(',')) {
      const capacityBlocks = Number(capacity)
      if (evenAt === undefined) results.push(measure(name, requests, capacityBlocks))
      else weights.push(measureWeights(name, requests, { capacityBlocks, block, evenAt }))
    }
  }
}
const all = evenAt === undefined ? results : weights
if (all.length === 0) process.exitCode = 1
if (flags.json) console.log(JSON.stringify(all, null, 2))
else console.log(evenAt === undefined ? describe(results) : describeWeights(weights))

async function readRequests(file: string): Promise<ChainedRequest[]> {
  const chains = new BlockChains(block)
  const requests: ChainedRequest[] = []
  for await (const request of readTrace(textLines(createReadStream(file).pipe(createGunzip())))) {
    requests.push(chains.add(request))
  }
  return requests
}

function splits(trace: string, requests: ChainedRequest[]): [string, ChainedRequest[]][] {
  const half = requests.length >> 1
  if (flags.split === 'halves') {
    return [
      [`${trace}, first half`, requests.slice(0, half)],
      [`${trace}, second half`, requests.slice(half)],
    ]
  }
  if (flags.split !== 'groups') return [[trace, requests]]
  // All requests of a session share their second block; the first is common to all.
  const group = ({ chain }: ChainedRequest): number => (chain[Math.min(1, chain.length - 1)] ?? 0) % 2
  return [0, 1].map((one) => [`${trace}, group ${one + 1}`, requests.filter((request) => group(request) === one)])
}

function measure(trace: string, requests: readonly ChainedRequest[], capacityBlocks: number): Result {
  const run = (name: 'lru' | 'incipit' | 'min'): { ratio: number; micros: number } => {
    const begun = process.cpuUsage()
    const { hitRatio } = simulatePolicy(name, { requests, capacityBlocks, block })
    const { user, system } = process.cpuUsage(begun)
    return { ratio: hitRatio ?? NaN, micros: (user + system) / requests.length }
  }
  const [lru, incipit, min] = [run('lru'), run('incipit'), run('min')]
  return {
    trace,
    block,
    capacityBlocks,
    lru: lru.ratio,
    incipit: incipit.ratio,
    min: min.ratio,
    shareOfGap: shareOfGap({ lru: lru.ratio, policy: incipit.ratio, min: min.ratio }) ?? null,
    lruMicros: lru.micros,
    incipitMicros: incipit.micros,
  }
}

function describeWeights(all: readonly WeightResult[]): string {
  return table(
    ['trace', 'blocks', 'LRU hits %', 'work %', 'all alike: hits %', 'work %', 'weighed: hits %', 'work %'],
    all.map(({ trace, capacityBlocks, lru, even, weighed }) => [
      trace,
      capacityBlocks,
      ...[lru, even, weighed].flatMap(({ hits, work }) => [percent(hits), percent(work)]),
    ]),
  )
}

function percent(ratio: number): string {
  return (100 * ratio).toFixed(2)
}

function describe(all: readonly Result[]): string {
  const headings = ['trace', 'blocks', 'LRU %', 'incipit %', 'MIN %', 'of the gap', 'LRU us', 'incipit us']
  return table(
    headings,
    all.map((one) => [
      one.trace,
      one.capacityBlocks,
      percent(one.lru),
      percent(one.incipit),
      percent(one.min),
      one.shareOfGap === null ? '-' : `${(100 * one.shareOfGap).toFixed(0)} %`,
      one.lruMicros.toFixed(1),
      one.incipitMicros.toFixed(1),
    ]),
  )
}
