import type { SplitPrompt } from '@incipit/engine/bench'
import { promptOfLength, questionOf, requestOf, sharedTokens } from '@incipit/engine/bench'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import OpenAI from 'openai'
import type { BenchModel } from '../support/bench-model.ts'
import { benchModel } from '../support/bench-model.ts'
import { startServerProcess } from '../support/server-process.ts'
import { progress, shown } from '../support/show.ts'
import type { Spread } from '../support/statistics.ts'
import { spread } from '../support/statistics.ts'
import type { StreamedAnswer } from '../support/streamed-chat.ts'
import { streamChat, ttftMs } from '../support/streamed-chat.ts'
import { table } from '../support/table.ts'

/** A row of the published table: milliseconds to the first token, and how often faster. */
interface Published {
  readonly coldMs: number
  readonly warmMs: number
  readonly ratio: number
}

/** One length: milliseconds to the first token of a new prompt, and of another question behind the same opening. */
interface Row {
  readonly model: string
  readonly prefixTokens: number
  readonly coldMs: Spread
  readonly warmMs: Spread
  /** Of each round: cold over the median of the warm ones. */
  readonly ratio: Spread
  readonly published: Published | undefined
}

const published: Readonly<Record<number, Published>> = {
  500: { coldMs: 400, warmMs: 250, ratio: 1.6 },
  5_000: { coldMs: 1_200, warmMs: 300, ratio: 4 },
  50_000: { coldMs: 6_000, warmMs: 400, ratio: 15 },
}
const newTokens = 32
const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    lengths: { type: 'string' },
    'demo-lengths': { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'warm-rounds': { type: 'string', default: '3' },
  },
})
const smolLengths = numbers(flags.lengths ?? (flags.quick ? '500' : '500,5000,8192'))
const demoLengths = numbers(flags['demo-lengths'] ?? (flags.quick ? '5000' : '50000'))

const folder = mkdtempSync(join(tmpdir(), 'incipit-seed-table-'))
const models = { smol: benchModel('smol135', folder), demo: benchModel('demo', folder) }
const server = await startServerProcess({
  flags: ['--model', `smol=${models.smol.file}`, '--model', `demo=${models.demo.file}`],
})
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 900_000 })
try {
  const rows: Row[] = []
  for (const length of smolLengths) rows.push(await measure('smol', length, Number(flags.rounds)))
  for (const length of demoLengths) rows.push(await measure('demo', length, 1))
  print(rows)
} finally {
  await server.stop()
  for (const model of Object.values(models)) model.close()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(name: keyof typeof models, length: number, rounds: number): Promise<Row> {
  const { tokenise } = models[name]
  // Weights and buffers are touched once before anything counts.
  await ask(name, promptOfLength(tokenise, 64, newTokens))
  const samples = { cold: [] as number[], warm: [] as number[], ratio: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const prompt = promptOfLength(tokenise, length, newTokens)
    const cold = await ask(name, prompt)
    if (cold.cachedTokens > 64) throw new Error(`${cold.cachedTokens} tokens of a new prompt were cached`)
    const warm: number[] = []
    for (let again = 0; again < Number(flags['warm-rounds']); again++) {
      warm.push(ttftMs(await askAgain(name, prompt, models[name])))
    }
    samples.cold.push(ttftMs(cold))
    samples.warm.push(...warm)
    samples.ratio.push(ttftMs(cold) / spread(warm).p50)
    progress(`${name}, ${length} tokens: round ${round + 1} of ${rounds}`)
  }
  const { cold, warm, ratio } = samples
  const spreads = { coldMs: spread(cold), warmMs: spread(warm), ratio: spread(ratio) }
  return { model: name, prefixTokens: length, ...spreads, published: published[length] }
}

/** Another question behind the same opening. @throws Error where the opening was not cached */
async function askAgain(name: string, prompt: SplitPrompt, { tokenise }: BenchModel): Promise<StreamedAnswer> {
  const next: SplitPrompt = { system: prompt.system, user: questionOf(tokenise, newTokens) }
  const shared = sharedTokens(tokenise(requestOf(prompt)), tokenise(requestOf(next)))
  const answer = await ask(name, next)
  if (answer.cachedTokens < shared) {
    throw new Error(`${answer.cachedTokens} tokens were cached, ${shared} are shared with the prompt before`)
  }
  return answer
}

function ask(model: string, prompt: SplitPrompt): Promise<StreamedAnswer> {
  return streamChat(client, { model, prompt, maxTokens: 1 })
}

function print(rows: readonly Row[]): void {
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version }
    console.log(JSON.stringify({ machine, newTokens, rows }, null, 2))
    return
  }
  const headings = ['cached prefix', 'model', 'cold ms', 'warm ms', 'ratio', 'published ms', 'published ratio']
  const lines = rows.map((row) => [
    row.prefixTokens,
    row.model,
    shown(row.coldMs, 0),
    shown(row.warmMs, 0),
    `${shown(row.ratio, 1)}x`,
    row.published === undefined ? '-' : `${row.published.coldMs} / ${row.published.warmMs}`,
    row.published === undefined ? '-' : `${row.published.ratio}x`,
  ])
  console.log(table(headings, lines))
}

function numbers(list: string): number[] {
  return list
    .split(',')
    .filter((one) => one !== '')
    .map(Number)
}
