import type { BareSettings, Spread, SplitPrompt } from '@incipit/engine/bench'
import { BareEngine, promptOfLength, questionOf, requestOf, sharedTokens, spread } from '@incipit/engine/bench'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import { benchModel } from '../support/bench-model.ts'
import { startServerProcess } from '../support/server-process.ts'
import { progress } from '../support/show.ts'
import type { StreamedAnswer } from '../support/streamed-chat.ts'
import { streamChat, ttftMs } from '../support/streamed-chat.ts'
import { table } from '../support/table.ts'

/** One length of prefix: milliseconds, served over HTTP beside the bare loop. */
interface Row {
  readonly prefixTokens: number
  readonly newTokens: number
  readonly bareCold: Spread
  readonly cold: Spread
  readonly floor: Spread
  readonly warm: Spread
}

const newTokens = 32
const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    lengths: { type: 'string', default: '512,2048,8192' },
    rounds: { type: 'string', default: '3' },
    'warm-rounds': { type: 'string', default: '7' },
    threads: { type: 'string' },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'incipit-ttft-'))
const lengths = flags.lengths.split(',').map(Number)
const smol = benchModel('smol135', folder)
const { file, model, tokenise } = smol
const cells = Math.max(...lengths, 2048) + 1024
const settings = await bestSettings()
const server = await startServerProcess({ flags: ['--model', `smol=${file}`] })
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 900_000 })
try {
  await served(promptOfLength(tokenise, 64, 16))
  const rows: Row[] = []
  for (const length of lengths) rows.push(await measure(length))
  print(rows)
} finally {
  await server.stop()
  smol.close()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(length: number): Promise<Row> {
  const bare = new BareEngine(model, settings, cells)
  const samples = { bareCold: [] as number[], cold: [] as number[], floor: [] as number[], warm: [] as number[] }
  let brought = 0
  for (let round = 0; round < Number(flags.rounds); round++) {
    const prompt = promptOfLength(tokenise, length, newTokens)
    const tokens = tokenise(requestOf(prompt))
    // Which of the two goes first changes from round to round: the machine's moods hit both.
    const pair = [
      async (): Promise<void> => void samples.bareCold.push(await bare.evaluate(tokens, 0)),
      async (): Promise<void> => void samples.cold.push(ttftMs(await served(prompt))),
    ]
    for (const run of round % 2 === 0 ? pair : pair.toReversed()) await run()
    for (let again = 0; again < Number(flags['warm-rounds']); again++) {
      const next: SplitPrompt = { system: prompt.system, user: questionOf(tokenise, newTokens) }
      const nextTokens = tokenise(requestOf(next))
      const shared = sharedTokens(tokens, nextTokens)
      brought = nextTokens.length - shared
      samples.floor.push(await bare.evaluate(nextTokens, shared))
      const warm = await served(next)
      if (warm.cachedTokens < shared) throw new Error(`${warm.cachedTokens} tokens were cached, ${shared} are shared`)
      samples.warm.push(ttftMs(warm))
    }
    progress(`${length} tokens: round ${round + 1} of ${flags.rounds}`)
  }
  bare.close()
  const { bareCold, cold, floor, warm } = samples
  const spreads = { bareCold: spread(bareCold), cold: spread(cold), floor: spread(floor), warm: spread(warm) }
  return { prefixTokens: length, newTokens: brought, ...spreads }
}

function served(prompt: SplitPrompt): Promise<StreamedAnswer> {
  return streamChat(client, { model: 'smol', prompt, maxTokens: 1 })
}

/** The fastest cold loop at 2,048 tokens: the ratio of cold to warm must not be won by a slow cold. */
async function bestSettings(): Promise<BareSettings> {
  const prompt = tokenise(requestOf(promptOfLength(tokenise, 2048, newTokens)))
  const threads = flags.threads === undefined ? [1, availableParallelism()] : [Number(flags.threads)]
  const tried: { settings: BareSettings; ms: number }[] = []
  for (const count of new Set(threads)) {
    for (const flashAttention of [true, false]) {
      const bare = new BareEngine(model, { threads: count, flashAttention }, 4096)
      const ms = Math.min(await bare.evaluate(prompt, 0), await bare.evaluate(prompt, 0))
      bare.close()
      tried.push({ settings: { threads: count, flashAttention }, ms })
      progress(
        `bare loop, ${prompt.length} tokens, ${describe({ threads: count, flashAttention })}: ${ms.toFixed(0)} ms`,
      )
    }
  }
  const [best] = tried.sort((a, b) => a.ms - b.ms)
  if (best === undefined) throw new Error('no setting was tried')
  return best.settings
}

function print(rows: readonly Row[]): void {
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version }
    console.log(JSON.stringify({ model: 'smollm2-135m-shape q8_0', machine, settings, rows }, null, 2))
    return
  }
  const ms = (one: Spread): string => `${one.p50.toFixed(0)} (${one.min.toFixed(0)}-${one.max.toFixed(0)})`
  const headings = ['prefix', 'new', 'bare cold', 'cold', 'cold / bare', 'floor', 'warm', 'warm / floor', 'cold / warm']
  const lines = rows.map((row) => [
    row.prefixTokens,
    row.newTokens,
    ms(row.bareCold),
    ms(row.cold),
    (row.cold.p50 / row.bareCold.p50).toFixed(3),
    ms(row.floor),
    ms(row.warm),
    (row.warm.p50 / row.floor.p50).toFixed(3),
    (row.cold.p50 / row.warm.p50).toFixed(1),
  ])
  console.log(table(headings, lines))
  console.log('\nMilliseconds to the first token, median (least-most), over HTTP through the official OpenAI client.')
  console.log(`Bare: llama_decode alone, ${describe(settings)}, the fastest setting of a cold run.`)
}

function describe({ threads, flashAttention }: BareSettings): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'}, flash attention ${flashAttention ? 'on' : 'off'}`
}
