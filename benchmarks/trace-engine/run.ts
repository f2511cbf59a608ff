import type { CachePolicyName, ChainedRequest } from '@incipit/core'
import { BlockChains, readTrace, requestId, simulatePolicy, textLines } from '@incipit/core'
import type { Engine, EngineConfig } from '@incipit/engine'
import { startEngine } from '@incipit/engine'
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { benchModel } from '../support/bench-model.ts'
import { progress } from '../support/show.ts'
import { table } from '../support/table.ts'
import { BlockText, engineBlock } from './block-text.ts'
import { servedTokens } from './served-tokens.ts'

/** What the engine served with room for so many blocks, and what the simulator says of it, in tokens of the trace. */
interface Result {
  readonly capacityBlocks: number
  readonly inputTokens: number
  readonly served: number
  /** Where the reused blocks came from, in tokens of the engine. */
  readonly tiers: { readonly hot: number; readonly ram: number }
  readonly evaluatedTokens: number
  readonly simulated: Readonly<Record<CachePolicyName, number>>
  readonly seconds: number
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    folder: { type: 'string', default: process.env['INCIPIT_TRACES'] ?? join(root, '../shared/data') },
    trace: { type: 'string', default: 'agentcode' },
    block: { type: 'string', default: '2048' },
    requests: { type: 'string' },
    capacities: { type: 'string' },
  },
})
/** Tokens of a block of the trace: each is one block of the engine. */
const traceBlock = Number(flags.block)
const limit = Number(flags.requests ?? (flags.quick ? 60 : 300))
const capacities = (flags.capacities ?? (flags.quick ? '100' : '100,200,400')).split(',').map(Number)
const source = join(flags.folder, `${flags.trace}_dev.jsonl.gz`)
if (!existsSync(source)) {
  throw new Error(`${source} does not exist; --folder or INCIPIT_TRACES says where traces are`)
}

const folder = mkdtempSync(join(tmpdir(), 'incipit-trace-engine-'))
const model = benchModel('demo', folder)
try {
  const text = new BlockText(model.model, model.tokenise)
  const requests = await readRequests(text)
  const blockBytes = await bytesOfBlock(text)
  const results: Result[] = []
  for (const capacity of capacities) {
    results.push(await replay({ requests, text, capacity, blockBytes }))
  }
  print(results)
} finally {
  model.close()
  rmSync(folder, { recursive: true, force: true })
}

/** The first requests that fit the context of the model. */
async function readRequests(text: BlockText): Promise<ChainedRequest[]> {
  const most = Math.floor((model.model.facts.trainedContextTokens - text.opening - text.ending - 1_024) / engineBlock)
  const chains = new BlockChains(traceBlock)
  const requests: ChainedRequest[] = []
  for await (const request of readTrace(textLines(createReadStream(source).pipe(createGunzip())))) {
    if (Math.ceil((request.blocks.length * request.blockTokens) / traceBlock) > most) continue
    requests.push(chains.add(request))
    if (requests.length === limit) break
  }
  return requests
}

/** What a block takes in the RAM tier. */
async function bytesOfBlock(text: BlockText): Promise<number> {
  const engine = await start(64 * 2 ** 20)
  try {
    await ask(
      engine,
      text,
      Int32Array.from({ length: 16 }, (_, block) => block),
    )
    const stats = await idle(engine)
    return stats.ramBytes / stats.ramBlocks
  } finally {
    await engine.close()
  }
}

async function replay(options: {
  readonly requests: readonly ChainedRequest[]
  readonly text: BlockText
  readonly capacity: number
  readonly blockBytes: number
}): Promise<Result> {
  const { requests, text, capacity, blockBytes } = options
  const begun = performance.now()
  // The blocks that open every prompt are no part of the trace: they have room of their own.
  const engine = await start(Math.ceil((capacity + text.opening / engineBlock) * blockBytes))
  let served = 0
  let evaluatedTokens = 0
  const tiers = { hot: 0, ram: 0 }
  try {
    for (const [index, request] of requests.entries()) {
      const report = await ask(engine, text, request.chain)
      const cached = report.cachedTokens
      served += servedTokens({ cached, opening: text.opening, inputTokens: request.inputTokens, traceBlock })
      evaluatedTokens += report.evaluatedTokens
      tiers.hot += report.tiers.hot
      tiers.ram += report.tiers.ram
      // Each request complete before the next, and what it left in the KV buffer in the RAM tier: beside a request that
      // shares nothing hardly any cells stay.
      await ask(engine, text, new Int32Array(0), 'off')
      await idle(engine)
      if (index % 20 === 19) progress(`${capacity} blocks: ${index + 1} of ${requests.length} requests`)
    }
    const stats = await idle(engine)
    if (stats.ramBlocks > capacity + text.opening / engineBlock) {
      throw new Error(`${stats.ramBlocks} blocks were in RAM, ${capacity} allowed`)
    }
  } finally {
    await engine.close()
  }
  const ratio = (name: CachePolicyName): number =>
    simulatePolicy(name, { requests, capacityBlocks: capacity, block: traceBlock }).hitRatio ?? Number.NaN
  const inputTokens = requests.reduce((sum, request) => sum + request.inputTokens, 0)
  const simulated = { lru: ratio('lru'), incipit: ratio('incipit'), min: ratio('min') }
  const seconds = (performance.now() - begun) / 1_000
  return { capacityBlocks: capacity, inputTokens, served, tiers, evaluatedTokens, simulated, seconds }
}

async function start(ramBytes: number): Promise<Engine> {
  const config: EngineConfig = {
    models: [{ name: 'demo', path: model.file, aliases: [] }],
    dataDir: folder,
    threads: 'auto',
    flashAttention: 'auto',
    hotBytes: 'auto',
    ramBytes,
    diskBytes: 0,
    minCachedTokens: 16,
    maxConcurrent: 1,
    maxQueued: 1,
  }
  const started = await startEngine(config)
  if (started.kind === 'unavailable') throw new Error(started.reason)
  return started.engine
}

async function ask(engine: Engine, text: BlockText, chain: Int32Array, prefixCache: 'on' | 'off' = 'on') {
  const id = requestId(`req_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`)
  const request = { id, model: 'demo', scopeKey: 'trace', generation: text.request(chain), prefixCache }
  for await (const event of engine.generate(request, new AbortController().signal)) {
    if (event.kind === 'prompt') return event
  }
  throw new Error('the engine did not say what it did with a prompt')
}

/** Polls until nothing runs and no block has been copied since the last look. */
async function idle(engine: Engine) {
  for (let before = -1; ;) {
    const { models, running } = await engine.stats()
    const [stats] = models
    if (stats === undefined) throw new Error('the engine serves no model')
    if (running === 0 && stats.ramBlocks === before) return stats
    before = running === 0 ? stats.ramBlocks : -1
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function print(results: readonly Result[]): void {
  if (flags.json) {
    console.log(JSON.stringify({ trace: flags.trace, requests: limit, traceBlock, engineBlock, results }, null, 2))
    return
  }
  const percent = (share: number): string => (100 * share).toFixed(2)
  const rows = results.map(({ capacityBlocks, inputTokens, served, tiers, evaluatedTokens, simulated, seconds }) => [
    capacityBlocks,
    percent(served / inputTokens),
    percent(simulated.lru),
    percent(simulated.incipit),
    percent(simulated.min),
    percent(tiers.hot / (tiers.hot + tiers.ram)),
    evaluatedTokens,
    seconds.toFixed(0),
  ])
  const headings = ['blocks', 'engine %', 'LRU %', 'incipit %', 'MIN %', 'of it hot %', 'evaluated tokens', 'seconds']
  console.log(table(headings, rows))
}
