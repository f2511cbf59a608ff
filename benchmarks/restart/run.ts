import type { SplitPrompt } from '@incipit/engine/bench'
import { dropPageCache, promptOfLength, questionOf, requestOf, sharedTokens } from '@incipit/engine/bench'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import { benchModel } from '../support/bench-model.ts'
import type { ModelStatus } from '../support/engine-status.ts'
import { modelStatus, settled } from '../support/engine-status.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { startServerProcess } from '../support/server-process.ts'
import { progress, shown } from '../support/show.ts'
import type { Spread } from '../support/statistics.ts'
import { spread } from '../support/statistics.ts'
import type { StreamedAnswer } from '../support/streamed-chat.ts'
import { streamChat, ttftMs } from '../support/streamed-chat.ts'
import { table } from '../support/table.ts'

/** What starts took, with blocks on disk or without. */
interface Samples {
  readonly readyMs: number[]
  readonly firstMs: number[]
  readonly stopMs: number[]
}

interface Found {
  readonly startWith: Spread
  readonly startEmpty: Spread
  readonly stopMs: Spread
  readonly warmMs: Spread
  readonly coldMs: Spread
}

const gibibyte = 2 ** 30
const newTokens = 32
const blockTokens = 64
const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    gib: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    shape: { type: 'string', default: 'smol135' },
    'prompt-tokens': { type: 'string', default: '960' },
    within: { type: 'string', default: tmpdir() },
    /** Leave the files of blocks in the page cache of the system: a restart of the program, not of the machine. */
    cached: { type: 'boolean', default: false },
  },
})
const gib = Number(flags.gib ?? (flags.quick ? 0.125 : 2))
const rounds = flags.quick ? 1 : Number(flags.rounds)
const promptTokens = Number(flags['prompt-tokens'])

const folder = mkdtempSync(join(flags.within, 'incipit-restart-'))
const model = benchModel(flags.shape, folder)
const config = `engine:
  ram_bytes: 256MiB
  disk_bytes: ${Math.ceil((gib + 0.5) * gibibyte)}
  models:
    - { name: smol, path: ${JSON.stringify(model.file)} }
`
const dataDirs = { full: join(folder, 'full'), empty: join(folder, 'empty') }
for (const directory of Object.values(dataDirs)) mkdirSync(directory)
let running: ServerProcess | undefined
try {
  const prompts = await fill()
  print(await restart(prompts))
} finally {
  await running?.stop()
  model.close()
  rmSync(folder, { recursive: true, force: true })
}

/** Evaluates different prompts until their blocks take so many bytes on disk. */
async function fill(): Promise<{ readonly prompts: readonly SplitPrompt[]; readonly onDisk: ModelStatus['disk'] }> {
  // What a first start does once, hashing the model for instance, is behind both.
  await (await begin('empty')).stop()
  const server = await begin('full')
  const prompts: SplitPrompt[] = []
  for (;;) {
    const prompt = promptOfLength(model.tokenise, promptTokens, newTokens)
    prompts.push(prompt)
    await ask(server, prompt)
    if (prompts.length % 8 > 0) continue
    // Beside requests writing takes its time, and of a queue that grows too long the oldest would be dropped.
    await settled(server)
    const { disk } = await modelStatus(server, 'smol')
    progress(
      `filled ${(disk.bytes / gibibyte).toFixed(2)} of ${gib} GiB: ${prompts.length} prompts, ${disk.blocks} blocks`,
    )
    if (disk.bytes >= gib * gibibyte) break
  }
  const { disk } = await modelStatus(server, 'smol')
  if (disk.evicted + disk.failed_writes > 0)
    throw new Error(`the disk tier was not large enough: ${JSON.stringify(disk)}`)
  await end(server)
  return { prompts, onDisk: disk }
}

async function restart(filled: Awaited<ReturnType<typeof fill>>): Promise<Found & { disk: ModelStatus['disk'] }> {
  const { prompts, onDisk } = filled
  const samples: Record<keyof typeof dataDirs, Samples> = { full: emptySamples(), empty: emptySamples() }
  for (let round = 0; round < rounds; round++) {
    const kinds = ['full', 'empty'] as const
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      if (!flags.cached && kind === 'full') dropPageCache(dataDirs.full)
      const begun = performance.now()
      const server = await begin(kind)
      await untilReady(server)
      samples[kind].readyMs.push(performance.now() - begun)
      // The first request of each process. Of the full one it continues what an earlier process evaluated.
      const prompt = prompts[(round * 7) % prompts.length]
      if (prompt === undefined) throw new Error('there is no prompt to ask again')
      const first = kind === 'full' ? await askFromDisk(server, prompt, onDisk.blocks) : await ask(server, prompt)
      if (kind === 'empty' && first.cachedTokens > 0)
        throw new Error(`${first.cachedTokens} tokens were cached of nothing`)
      samples[kind].firstMs.push(ttftMs(first))
      samples[kind].stopMs.push(await end(server))
      // What it has evaluated is gone with the folder: the next start finds nothing again.
      if (kind === 'empty') rmSync(join(dataDirs.empty, 'kv'), { recursive: true, force: true })
    }
    progress(`restart: round ${round + 1} of ${rounds}`)
  }
  return {
    disk: onDisk,
    startWith: spread(samples.full.readyMs),
    startEmpty: spread(samples.empty.readyMs),
    stopMs: spread(samples.full.stopMs),
    warmMs: spread(samples.full.firstMs),
    coldMs: spread(samples.empty.firstMs),
  }
}

/** @throws Error where blocks are missing, or the opening came from anywhere but the disk */
async function askFromDisk(server: ServerProcess, prompt: SplitPrompt, blocks: number): Promise<StreamedAnswer> {
  const before = await modelStatus(server, 'smol')
  if (before.disk.restored < blocks || before.disk.discarded > 0 || before.ram.blocks > 0 || before.hot.tokens > 256) {
    throw new Error(`${blocks} blocks were on disk, the start found ${JSON.stringify(before)}`)
  }
  const next = { system: prompt.system, user: questionOf(model.tokenise, newTokens) }
  const shared = sharedTokens(model.tokenise(requestOf(prompt)), model.tokenise(requestOf(next)))
  const answer = await ask(server, next)
  const read = (await modelStatus(server, 'smol')).disk.read
  const whole = Math.floor(shared / blockTokens)
  if (answer.cachedTokens < whole * blockTokens || read < whole) {
    throw new Error(
      `${shared} tokens are shared, ${answer.cachedTokens} were cached, ${read} blocks were read from disk`,
    )
  }
  return answer
}

async function begin(kind: keyof typeof dataDirs): Promise<ServerProcess> {
  running = await startServerProcess({ config, dataDir: dataDirs[kind] })
  return running
}

async function end(server: ServerProcess): Promise<number> {
  const begun = performance.now()
  await server.stop()
  running = undefined
  return performance.now() - begun
}

async function untilReady({ url }: ServerProcess): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health/readiness`)
    const { engine } = (await answer.json()) as { engine?: string } // as docs have it
    if (answer.status === 200 && engine === 'ready') return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function ask({ url }: ServerProcess, prompt: SplitPrompt): Promise<StreamedAnswer> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 900_000 })
  return streamChat(client, { model: 'smol', prompt, maxTokens: 1 })
}

function emptySamples(): Samples {
  return { readyMs: [], firstMs: [], stopMs: [] }
}

function print(found: Awaited<ReturnType<typeof restart>>): void {
  const { disk, startWith, startEmpty, stopMs, warmMs, coldMs } = found
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version }
    console.log(
      JSON.stringify({ machine, shape: flags.shape, pageCache: flags.cached, promptTokens, ...found }, null, 2),
    )
    return
  }
  const rows = [
    [disk.blocks, (disk.bytes / gibibyte).toFixed(2), shown(startWith, 0), shown(warmMs, 0), shown(stopMs, 0)],
    [0, '0', shown(startEmpty, 0), shown(coldMs, 0), ''],
  ]
  const headings = [
    'blocks on disk',
    'GiB',
    'until ready, ms',
    `first request of ${promptTokens} tokens, ms`,
    'stop, ms',
  ]
  console.log(table(headings, rows))
  console.log(
    `\n- ready within 2 s: ${(startWith.p50 / 1_000).toFixed(2)} s: ${startWith.p50 < 2_000 ? 'kept' : 'missed'}`,
  )
}
