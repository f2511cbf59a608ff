import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { loadNative } from '../native/load-native.ts'
import { BareEngine } from './bare-engine.ts'
import { promptOfLength, questionOf, requestOf, sharedTokens } from './prompt-of-length.ts'
import type { Spread } from './spread.ts'
import { spread } from './spread.ts'
import { TierEngine } from './tier-engine.ts'

/**
 * Where the opening of a prompt lies: nowhere, in live KV state, in RAM, on disk (in the page cache of the system, or
 * not), or live while four other sessions are resident too.
 */
export type BenchTier = (typeof benchTiers)[number]

export const benchTiers = ['cold', 'hot', 'ram', 'disk', 'disk-uncached', 'hot-crowded'] as const

export interface TierBenchOptions {
  /** A GGUF file, or `builtin:demo`. */
  readonly path: string
  /** Tokens of the opening, each at least 128. */
  readonly lengths: readonly number[]
  readonly rounds: number
  readonly tiers: readonly BenchTier[]
  /** In it a folder for blocks is made and removed again: what is measured is its disk. */
  readonly within?: string
  readonly threads?: 'auto' | number
  readonly flashAttention?: 'auto' | 'on' | 'off'
  readonly progress?: (text: string) => void
  readonly signal?: AbortSignal
}

/** Milliseconds to the first token of one length and tier, each beside the bare library in the same moment. */
export interface TierRow {
  readonly prefixTokens: number
  readonly tier: BenchTier
  /** Prompt tokens that were computed. */
  readonly evaluatedTokens: number
  /** The bare library on the same tokens: the new ones behind a resident opening, of a cold prompt all. */
  readonly floorMs: Spread
  readonly ms: Spread
  /** Of the ratios of neighbours in time. */
  readonly ratio: Spread
}

export interface TierReport {
  readonly model: {
    readonly name: string
    readonly parameters: number
    readonly fileBytes: number
    readonly kvBytesPerToken: number
    readonly synthetic: boolean
  }
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryBytes: number
    readonly platform: string
    readonly node: string
  }
  readonly library: { readonly package: string; readonly version: string }
  readonly threads: { readonly decode: number; readonly prefill: number }
  readonly flashAttention: boolean
  readonly newTokens: number
  readonly rounds: number
  /** Why nothing but cold prompts was measured; `undefined` = the prefix cache of the model works. */
  readonly prefixCacheOff: string | undefined
  readonly rows: readonly TierRow[]
}

/** New tokens of a warm prompt: a question behind the opening. */
const newTokens = 32
const shortest = 128
const wholeStates = 'a recurrent model keeps whole states, which cannot be put into a tier of choice'

/**
 * Measures this machine: the time to the first token, cold and from each tier, beside the same work of the bare library.
 * Nothing of it stays: blocks lie in a folder of its own, which is removed whatever happens.
 *
 * @throws Error in plain words when the library is missing, or the model does not serve for it
 * @example await measureTiers({ path: 'builtin:demo', lengths: [500], rounds: 3, tiers: ['cold', 'hot'] })
 */
export async function measureTiers(options: TierBenchOptions): Promise<TierReport> {
  const loaded = loadNative()
  if (loaded.kind === 'unavailable') throw new Error(loaded.reason)
  const folder = mkdtempSync(join(options.within ?? tmpdir(), 'incipit-bench-'))
  const open: (() => void | Promise<void>)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const file = modelFile(options.path, folder)
    const model = loaded.native.loadModel(file, { dataDir: folder })
    open.unshift(() => model.close())
    checkLengths(options.lengths, model)
    const engine = await TierEngine.start({ ...options, path: file, folder, facts: model.facts })
    open.unshift(() => engine.close())
    const prefixCacheOff = (await engine.prefixCacheOff()) ?? (model.facts.recurrent ? wholeStates : undefined)
    const tiers = prefixCacheOff === undefined ? options.tiers : options.tiers.filter((tier) => tier === 'cold')
    const rows: TierRow[] = []
    for (const length of options.lengths) {
      // oxlint-disable-next-line no-await-in-loop -- what runs at the same time is not measured
      rows.push(...(await measureLength(length, { ...options, tiers, model, engine })))
    }
    return {
      ...aboutModel(model),
      ...aboutMachine(),
      ...engine.about,
      library: { package: loaded.native.packageName, version: loaded.native.version },
      newTokens,
      rounds: options.rounds,
      prefixCacheOff,
      rows,
    }
  } finally {
    // oxlint-disable-next-line no-await-in-loop -- the engine before the folder it writes to
    for (const close of open) await close()
  }
}

interface LengthBench extends TierBenchOptions {
  readonly model: Model
  readonly engine: TierEngine
}

async function measureLength(length: number, bench: LengthBench): Promise<TierRow[]> {
  const { model, engine, rounds, tiers, progress, signal } = bench
  const { threads, flashAttention } = engine.about
  const bare = new BareEngine(model, { threads: threads.prefill, flashAttention }, length + 1_024)
  const samples = new Map(tiers.map((tier) => [tier, { floor: [] as number[], ms: [] as number[], evaluated: 0 }]))
  const { tokenise } = engine.tokenising(model)
  const prompt = promptOfLength(tokenise, length, newTokens)
  const tokens = tokenise(requestOf(prompt))
  try {
    // Weights and buffers are touched once before anything counts.
    await bare.evaluate(tokens, 0)
    await engine.firstToken(requestOf(prompt))
    for (let round = 0; round < rounds; round++) {
      for (const [tier, sample] of samples) {
        signal?.throwIfAborted()
        const next = requestOf({ system: prompt.system, user: questionOf(tokenise, newTokens) })
        const nextTokens = tokenise(next)
        // oxlint-disable-next-line no-await-in-loop -- what runs at the same time is not measured
        const { ms, report } = await engine.fromTier(tier, {
          first: requestOf(prompt),
          next,
          shared: sharedTokens(tokens, nextTokens),
        })
        sample.ms.push(ms)
        sample.evaluated = report.evaluatedTokens
        // oxlint-disable-next-line no-await-in-loop
        sample.floor.push(await bare.evaluate(nextTokens, report.cachedTokens))
      }
      progress?.(`${length} tokens: round ${round + 1} of ${rounds}`)
    }
  } finally {
    bare.close()
  }
  return [...samples].map(([tier, { floor, ms, evaluated }]) => {
    const ratio = ms.map((one, index) => one / (floor[index] ?? Number.NaN))
    return {
      prefixTokens: length,
      tier,
      evaluatedTokens: evaluated,
      floorMs: spread(floor),
      ms: spread(ms),
      ratio: spread(ratio),
    }
  })
}

function checkLengths(lengths: readonly number[], { facts }: Model): void {
  const most = facts.trainedContextTokens - 2 * newTokens
  for (const length of lengths) {
    if (length >= shortest && length <= most) continue
    throw new RangeError(
      `a length of ${length} tokens is asked for; ${shortest} to ${most} are possible with this model`,
    )
  }
}

function aboutModel({ facts }: Model): Pick<TierReport, 'model'> {
  const { name, parameters, fileBytes, kvBytesPerToken, synthetic } = facts
  return { model: { name, parameters, fileBytes, kvBytesPerToken, synthetic } }
}

function aboutMachine(): Pick<TierReport, 'machine'> {
  const cpu = cpus()[0]?.model ?? 'unknown'
  const platform = `${process.platform} ${process.arch}`
  return { machine: { cpu, cores: availableParallelism(), memoryBytes: totalmem(), platform, node: process.version } }
}
