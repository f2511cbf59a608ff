import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { residentBytes } from '../gateway/process-figures.ts'
import { benchModel } from '../support/bench-model.ts'
import type { EngineStatus } from '../support/engine-status.ts'
import { engineStatus, settled } from '../support/engine-status.ts'
import { startServerProcess } from '../support/server-process.ts'
import { progress } from '../support/show.ts'
import { table } from '../support/table.ts'
import type { ToldTokens } from './books.ts'
import { wrongInBooks } from './books.ts'
import { fillScratch } from './fill-scratch.ts'
import { isExact } from './is-exact.ts'
import type { MemoryFigure, MemorySample } from './memory.ts'
import { memoryFigure } from './memory.ts'
import { Tally } from './tally.ts'
import { work } from './worker.ts'

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    requests: { type: 'string' },
    workers: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
  },
})
const requests = Number(flags.requests ?? (flags.quick ? 200 : 2_000))
const workers = Number(flags.workers)
const seed = Number(flags.seed)
const samplesWanted = 200
const mebibyte = 2 ** 20
const adminKey = 'soak-key-of-the-admin'

const folder = mkdtempSync(join(tmpdir(), 'incipit-soak-'))
const small = benchModel('tiny', folder)
small.close()
const server = await startServerProcess({
  config: `
keys:
  - { key: ${adminKey}, org: house, name: admin, role: admin }
  - { key: soak-key-one, org: one, name: one }
  - { key: soak-key-two, org: two, name: two }
engine:
  hot_bytes: 18MiB
  ram_bytes: 24MiB
  disk_bytes: 48MiB
  models:
    - { name: demo, path: "builtin:demo", context_tokens: 16384 }
    - { name: small, path: ${JSON.stringify(small.file)}, context_tokens: 16384 }
`,
})
const gateway = { url: server.url, key: adminKey }
const samples: MemorySample[] = []
const tally = new Tally()
try {
  await fillScratch(server.url, adminKey, ['demo', 'small'])
  const atFirst = await settled(gateway)
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: workers }, (_, worker) =>
      work({ url: server.url, seed: seed * 1_000 + worker, requests: share(worker), tally }, sampleNow),
    ),
  )
  const seconds = (performance.now() - begun) / 1_000
  const status = await settled(gateway)
  const wrong = [
    ...tally.wrong,
    ...wrongInBooks(status, withBefore(tally.told, atFirst)),
    ...(await isExact(server.url, ['demo', 'small'])),
  ]
  print({ seconds, status, wrong, files: openFiles() })
} finally {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

function share(worker: number): number {
  return Math.floor(requests / workers) + (worker < requests % workers ? 1 : 0)
}

/** What was counted before the first request is no request's. */
function withBefore(told: ReadonlyMap<string, ToldTokens>, before: EngineStatus): Map<string, ToldTokens> {
  return new Map(
    before.models.map(({ model, tokens }) => {
      const { prompt, cached, left } = told.get(model) ?? { prompt: 0, cached: 0, left: 0 }
      return [model, { prompt: prompt + tokens.prompt, cached: cached + tokens.cached, left }]
    }),
  )
}

/** Reads both processes, now and then: asking the engine is a request of its own. */
async function sampleNow(): Promise<void> {
  const step = Math.max(1, Math.floor(requests / samplesWanted))
  if (tally.requests % step > 0) return
  const at = tally.requests
  const { resident_bytes: engine } = await engineStatus(gateway)
  samples.push({ requests: at, engine, gateway: residentBytes(server.pid).now })
  if (at % (step * 20) === 0)
    progress(`${at} of ${requests} requests, engine ${mib(engine)} MiB, ${tally.wrong.length} wrong`)
}

function openFiles(): number {
  return readdirSync(`/proc/${server.pid}/fd`).length
}

function print(found: {
  readonly seconds: number
  readonly status: EngineStatus
  readonly wrong: readonly string[]
  readonly files: number
}): void {
  const { seconds, status, wrong, files } = found
  const figures = {
    engine: memoryFigure(samples, 'engine', requests),
    gateway: memoryFigure(samples, 'gateway', requests),
  }
  const ofBudget = figures.engine.most / status.budget_bytes
  const bars = [
    { text: `engine resident at most budget + 10 %: ${(100 * ofBudget).toFixed(0)} % of it`, kept: ofBudget <= 1.1 },
    ...Object.entries(figures).map(([name, { growth }]) => ({
      text: `${name} flat, last quarter at most 5 % above the second: ${((growth - 1) * 100).toFixed(1)} %`,
      kept: growth <= 1.05,
    })),
    { text: `nothing unexpected, books in order: ${wrong.length} findings`, kept: wrong.length === 0 },
  ]
  if (wrong.length > 0) process.exitCode = 1
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version }
    const data = { machine, requests, workers, seed, seconds, files, ...figures, budgetBytes: status.budget_bytes }
    console.log(
      JSON.stringify({ ...data, outcomes: tally.outcomes(), models: status.models, wrong, bars, samples }, null, 2),
    )
    return
  }
  const memory = (
    name: string,
    { most, secondQuarter, lastQuarter, growth }: MemoryFigure,
    budget: string,
  ): string[] => [name, budget, mib(most), mib(secondQuarter), mib(lastQuarter), `${((growth - 1) * 100).toFixed(1)} %`]
  const headings = ['resident MiB', 'budget', 'most', 'second quarter', 'last quarter', 'growth']
  const rows = [memory('engine', figures.engine, mib(status.budget_bytes)), memory('gateway', figures.gateway, '')]
  console.log(`${table(headings, rows)}\n`)
  console.log(`${table(['request', 'sent', 'answered', 'refused as expected', 'left', 'wrong'], tally.rows())}\n`)
  const cache = status.models.map(({ model, tokens, ram, disk }) => {
    return [model, tokens.prompt, tokens.cached, tokens.evicted, ram.blocks, disk.written, disk.read, disk.evicted]
  })
  const cacheHeadings = [
    'model',
    'prompt tokens',
    'cached',
    'evicted hot',
    'in RAM',
    'written',
    'read',
    'evicted on disk',
  ]
  console.log(`${table(cacheHeadings, cache)}\n`)
  console.log(`${requests} requests in ${seconds.toFixed(0)} s, seed ${seed}; ${files} open files of the gateway\n`)
  for (const { text, kept } of bars) console.log(`- ${text}: ${kept ? 'kept' : 'missed'}`)
  for (const text of wrong.slice(0, 20)) console.log(`- wrong: ${text}`)
}

function mib(bytes: number): string {
  return (bytes / mebibyte).toFixed(0)
}
