import { setTimeout as sleep } from 'node:timers/promises'
import type { SplitPrompt } from '@incipit/engine/bench'
import { modelStatus, settled } from '../support/engine-status.ts'
import { shown } from '../support/show.ts'
import { spread } from '../support/statistics.ts'
import type { Spread } from '../support/statistics.ts'
import { table } from '../support/table.ts'
import type { Part, SessionsBench } from './bench.ts'
import { askOnce, freshPrompt, streamWarm, wallMs } from './bench.ts'

/** How long the same streams took, and what was saved behind them. */
interface Streamed {
  readonly ms: number
  readonly writtenBlocks: number
}

interface Comparison {
  readonly quietMs: Spread
  readonly savingMs: Spread
  /** Of neighbours in time. */
  readonly ratio: Spread
  readonly writtenBlocks: Spread
}

const streams = 4
const blockTokens = 64

/**
 * Streams while blocks are saved, beside the same streams with nothing to save:
 * - _written_: a long prompt has just been evaluated and is being written to disk, or was written before;
 * - _copied_: visitors come and go, and their state is copied out of the KV buffer and written, or they store nothing.
 */
export async function measureBehind(bench: SessionsBench): Promise<Part> {
  const tokens = bench.quick ? 64 : 128
  const prompts = Array.from({ length: streams }, () => freshPrompt(bench, 256))
  for (const prompt of prompts) await askOnce(bench, prompt)
  const cases = { written: pairOf(writtenBehind), copied: pairOf(visited) }
  const setup = { bench, prompts, tokens }
  for (let round = 0; round < bench.rounds; round++) {
    for (const { measure, samples } of Object.values(cases)) {
      const kinds = ['quiet', 'saving'] as const
      for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
        await settled(bench.server)
        samples[kind].push(await measure(setup, kind))
      }
    }
    bench.progress(`behind: round ${round + 1} of ${bench.rounds}`)
  }
  const written = comparisonOf(cases.written.samples)
  const copied = comparisonOf(cases.copied.samples)
  const row = (name: string, one: Comparison): string[] => [
    name,
    shown(one.quietMs, 0),
    shown(one.savingMs, 0),
    shown(one.ratio, 3),
    shown(one.writtenBlocks, 0),
  ]
  const headings = ['behind the streams', 'nothing to save, ms', 'saving, ms', 'ratio', 'blocks written meanwhile']
  return {
    table: table(headings, [row('writes to disk', written), row('visitors, copied and written', copied)]),
    data: { streams, tokens, written, copied },
    bars: [written, copied].map(({ ratio }, index) => ({
      text: `${index === 0 ? 'writes' : 'copies'} behind slow streams down by at most 3 %: ${((ratio.p50 - 1) * 100).toFixed(1)} %`,
      kept: ratio.p50 <= 1.03,
    })),
  }
}

interface Setup {
  readonly bench: SessionsBench
  readonly prompts: readonly SplitPrompt[]
  readonly tokens: number
}

type Kind = 'quiet' | 'saving'
type Measure = (setup: Setup, kind: Kind) => Promise<Streamed>

function pairOf(measure: Measure): { measure: Measure; samples: Record<Kind, Streamed[]> } {
  return { measure, samples: { quiet: [], saving: [] } }
}

/** A long prompt was evaluated; in the quiet case its blocks are on disk before the streams begin. */
async function writtenBehind(setup: Setup, kind: Kind): Promise<Streamed> {
  const { bench } = setup
  // On a busy machine all may be written before the streams have begun: that is no measurement of anything.
  for (let attempt = 0; attempt < 4; attempt++) {
    const before = await writtenBlocks(bench)
    await askOnce(bench, freshPrompt(bench, bench.quick ? 4_096 : 8_192))
    if (kind === 'quiet') await settled(bench.server)
    // State is copied out of the KV buffer while nothing is evaluated, and written from there: now that has begun.
    else while ((await writtenBlocks(bench)) === before) await sleep(2)
    const streamed = await stream(setup)
    // A stream that ends before the others has blocks of its own to write.
    const own = streams * Math.ceil(1 + setup.tokens / blockTokens)
    if (kind === 'quiet' && streamed.writtenBlocks > own) {
      throw new Error(`${streamed.writtenBlocks} blocks were written where nothing was to save`)
    }
    if (kind === 'quiet' || streamed.writtenBlocks > own) return streamed
    bench.progress('nothing was written behind the streams: once more')
  }
  throw new Error('no block was written behind the streams, four times over')
}

/** Short requests pass while the streams run: in the quiet case they are evaluated as well, and store nothing. */
async function visited(setup: Setup, kind: Kind): Promise<Streamed> {
  const { bench } = setup
  let lastVisit = 0
  let visits: Promise<void> | undefined
  const visitors = Array.from({ length: bench.quick ? 2 : 4 }, () => freshPrompt(bench, 256))
  const visit = async (): Promise<void> => {
    for (const prompt of visitors) await askOnce(bench, prompt, kind === 'quiet' ? 'off' : 'on')
    lastVisit = performance.now()
  }
  const streamed = await stream(setup, () => {
    visits ??= visit()
  })
  await visits
  if (lastVisit > streamed.endedAt) throw new Error('visitors were there for longer than the streams')
  return streamed
}

async function stream(
  { bench, prompts, tokens }: Setup,
  onFirst?: () => void,
): Promise<Streamed & { readonly endedAt: number }> {
  let first: Promise<number> | undefined
  const begun = (): void => {
    first ??= writtenBlocks(bench)
    onFirst?.()
  }
  const answers = await Promise.all(prompts.map((prompt) => streamWarm(bench, prompt, tokens, begun)))
  const last = await writtenBlocks(bench)
  const endedAt = Math.max(...answers.map((answer) => answer.endedAt))
  return { ms: wallMs(answers), writtenBlocks: last - ((await first) ?? last), endedAt }
}

async function writtenBlocks({ server }: SessionsBench): Promise<number> {
  return (await modelStatus(server, 'smol')).disk.written
}

function comparisonOf({ quiet, saving }: Record<Kind, readonly Streamed[]>): Comparison {
  return {
    quietMs: spread(quiet.map(({ ms }) => ms)),
    savingMs: spread(saving.map(({ ms }) => ms)),
    ratio: spread(saving.map(({ ms }, round) => ms / (quiet[round]?.ms ?? Number.NaN))),
    writtenBlocks: spread(saving.map(({ writtenBlocks }) => writtenBlocks)),
  }
}
