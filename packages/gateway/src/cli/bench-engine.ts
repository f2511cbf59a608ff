import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { TierReport } from '@incipit/engine/bench'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { aboutLines, milliseconds } from './bench-lines.ts'
import { benchPicture } from './bench-picture.ts'
import { checkWritable } from './check-writable.ts'
import type { CommandContext } from './program.ts'
import { snakeCaseKeys } from './snake-case-keys.ts'
import { textTable } from './text-table.ts'

interface BenchFlags {
  readonly model: string
  readonly lengths: readonly number[]
  readonly rounds: number
  readonly folder?: string
  readonly svg?: string
  readonly json?: boolean
}

/** What is shown of each tier, in this order. */
const tiers = ['cold', 'hot', 'ram', 'disk'] as const

/** Adds `incipit bench engine` to the command line. */
export function registerBench(program: Command, context: CommandContext): void {
  program
    .command('bench')
    .description('measure this machine')
    .command('engine')
    .description('time to first token, cold and from each tier of the cache, beside what the hardware needs at least')
    .option('--model <file>', 'GGUF file or builtin:demo', 'builtin:demo')
    .option('--lengths <tokens,...>', 'tokens of the opening that is cached', lengthsOf, [500, 5_000, 8_192])
    .option('--rounds <number>', 'how often each is measured', roundsOf, 5)
    .option('--folder <folder>', 'measure the disk of this folder (default: that of temporary files)')
    .option('--svg <file>', 'write a picture as well')
    .option('--json', 'print data as JSON')
    .action((flags: BenchFlags) => runBenchEngine(flags, context))
}

async function runBenchEngine(flags: BenchFlags, { cwd }: CommandContext): Promise<void> {
  const { model, lengths, rounds, folder } = flags
  const svg = flags.svg === undefined ? undefined : resolve(cwd, flags.svg)
  if (svg !== undefined) await checkWritable(svg)
  const { measureTiers } = await loadBench()
  const stop = new AbortController()
  // What was written is removed before the command ends; a second signal ends it at once.
  const end = (): void => stop.abort(new Error('stopped: nothing was measured to the end'))
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    const report = await measureTiers({
      path: model === 'builtin:demo' ? model : resolve(cwd, model),
      lengths,
      rounds,
      tiers,
      signal: stop.signal,
      progress: (text) => void process.stderr.write(`${text}\n`),
      ...(folder === undefined ? {} : { within: resolve(cwd, folder) }),
    })
    const at = new Date()
    process.stdout.write(flags.json === true ? benchJson(report, at) : benchTable(report))
    if (svg !== undefined) {
      await writeFile(svg, benchPicture(report, at))
      process.stderr.write(`${flags.svg} written\n`)
    }
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
  }
}

/** The engine is an optional dependency. */
async function loadBench(): Promise<typeof import('@incipit/engine/bench')> {
  try {
    return await import('@incipit/engine/bench')
  } catch (cause) {
    throw new Error(`install @incipit/engine to measure it (${(cause as Error).message})`, { cause })
  }
}

/** @example benchJson(report, new Date()) */
export function benchJson(report: TierReport, at: Date): string {
  return `${JSON.stringify(snakeCaseKeys({ object: 'engine_bench', at: at.toISOString(), ...report }), null, 2)}\n`
}

/** @example benchTable(report) */
export function benchTable(report: TierReport): string {
  const columns = ['prefix', 'tier', 'evaluated', 'floor ms', 'first token ms', '/ floor', 'cold / this']
  const rows = report.rows.map((row) => {
    const cold = report.rows.find(({ prefixTokens, tier }) => prefixTokens === row.prefixTokens && tier === 'cold')
    const gain = row.tier === 'cold' || cold === undefined ? '' : (cold.ms.p50 / row.ms.p50).toFixed(1)
    return [
      row.prefixTokens.toLocaleString('en'),
      row.tier,
      row.evaluatedTokens.toLocaleString('en'),
      milliseconds(row.floorMs.p50),
      milliseconds(row.ms.p50),
      row.ratio.p50.toFixed(2),
      gain,
    ]
  })
  const table = textTable(
    columns.map((head, index) => ({ head, right: index !== 1 })),
    rows,
  )
  return `${aboutLines(report).join('\n')}\n\n${table}\n${footLines(report).join('\n')}\n`
}

function footLines({ rounds, newTokens, prefixCacheOff }: TierReport): string[] {
  return [
    `Medians of ${rounds}. Floor: llama_decode alone on the same tokens, in the same minute: the new ones (about ${newTokens})`,
    'behind a resident opening; of a cold prompt all of them.',
    ...(prefixCacheOff === undefined ? [] : [`Only cold prompts were measured: ${prefixCacheOff}.`]),
  ]
}

function lengthsOf(text: string): readonly number[] {
  return text.split(',').map((part) => whole(part, 'a length', 1_000_000))
}

function roundsOf(text: string): number {
  return whole(text, 'a number of rounds', 1_000)
}

function whole(text: string, what: string, most: number): number {
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (value >= 1 && value <= most) return value
  throw new InvalidArgumentError(`"${text.slice(0, 40)}" is not ${what} of 1 to ${most.toLocaleString('en')}.`)
}
