import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import { benchModel } from '../support/bench-model.ts'
import { startServerProcess } from '../support/server-process.ts'
import { progress } from '../support/show.ts'
import { measureBehind } from './behind.ts'
import type { Part, SessionsBench } from './bench.ts'
import { askOnce, freshPrompt } from './bench.ts'
import { measureBurst } from './burst.ts'
import { measureFairness } from './fairness.ts'
import { measureThroughput } from './throughput.ts'

const parts: Readonly<Record<string, (bench: SessionsBench) => Promise<Part>>> = {
  throughput: measureThroughput,
  burst: measureBurst,
  behind: measureBehind,
  fairness: measureFairness,
}
const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(parts).join(',') },
    rounds: { type: 'string' },
    shape: { type: 'string', default: 'smol135' },
    threads: { type: 'string' },
  },
})
const wanted = flags.only.split(',')
const unknown = wanted.filter((name) => !(name in parts))
if (unknown.length > 0) throw new Error(`unknown parts ${unknown.join(', ')}; known: ${Object.keys(parts).join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'incipit-sessions-'))
const model = benchModel(flags.shape, folder)
const threads = flags.threads === undefined ? '' : `  threads: ${Number(flags.threads)}\n`
const server = await startServerProcess({
  config: `engine:\n${threads}  models:\n    - { name: smol, path: ${JSON.stringify(model.file)} }\n`,
})
const bench: SessionsBench = {
  server,
  client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 900_000 }),
  model,
  rounds: Number(flags.rounds ?? (flags.quick ? 1 : 5)),
  quick: flags.quick,
  progress,
}
try {
  // Weights and buffers are touched once before anything counts.
  await askOnce(bench, freshPrompt(bench, 64))
  const results: [string, Part][] = []
  for (const name of wanted) {
    const measure = parts[name]
    if (measure === undefined) continue
    const part = await measure(bench)
    results.push([name, part])
    if (!flags.json) console.log(`${part.table}\n`)
  }
  print(results)
} finally {
  await server.stop()
  model.close()
  rmSync(folder, { recursive: true, force: true })
}

function print(results: readonly [string, Part][]): void {
  const bars = results.flatMap(([, part]) => part.bars)
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version }
    const data = Object.fromEntries(results.map(([name, part]) => [name, part.data]))
    console.log(JSON.stringify({ machine, shape: flags.shape, rounds: bench.rounds, ...data, bars }, null, 2))
    return
  }
  for (const { text, kept } of bars) console.log(`- ${text}: ${kept ? 'kept' : 'missed'}`)
}
