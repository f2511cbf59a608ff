import { BareEngine } from '@incipit/engine/bench'
import { availableParallelism } from 'node:os'
import { settled } from '../support/engine-status.ts'
import { shown } from '../support/show.ts'
import { spread } from '../support/statistics.ts'
import type { Spread } from '../support/statistics.ts'
import { table } from '../support/table.ts'
import type { Part, SessionsBench } from './bench.ts'
import { askOnce, freshPrompt, streamWarm, tokensPerSecond } from './bench.ts'

const sessions = 8

const promptTokens = 500
const bareSteps = 16

/**
 * Decode throughput of eight sessions at once beside one, of prompts that are cached: one prompt for each session. Beside
 * it the bare library: how much more eight rows of a batch give than one depends on its kernels, and on the machine.
 */
export async function measureThroughput(bench: SessionsBench): Promise<Part> {
  const tokens = bench.quick ? 32 : 128
  const prompts = Array.from({ length: sessions }, () => freshPrompt(bench, promptTokens))
  for (const prompt of prompts) await askOnce(bench, prompt)
  const bare = await bareSessions(bench)
  const kinds = ['one', 'eight', 'bareOne', 'bareEight'] as const
  const samples = { one: [] as number[], eight: [] as number[], bareOne: [] as number[], bareEight: [] as number[] }
  for (let round = 0; round < bench.rounds; round++) {
    const asked = { one: prompts.slice(round % sessions).slice(0, 1), eight: prompts }
    const served = async (kind: 'one' | 'eight'): Promise<number> =>
      tokensPerSecond(await Promise.all(asked[kind].map((prompt) => streamWarm(bench, prompt, tokens))))
    const runs = {
      one: () => served('one'),
      eight: () => served('eight'),
      bareOne: () => bareTokensPerSecond(bare, 1),
      bareEight: () => bareTokensPerSecond(bare, sessions),
    }
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      await settled(bench.server)
      samples[kind].push(await runs[kind]())
    }
    bench.progress(`throughput: round ${round + 1} of ${bench.rounds}`)
  }
  bare.close()
  const times = (many: readonly number[], one: readonly number[]): Spread =>
    spread(many.map((each, index) => each / (one[index] ?? Number.NaN)))
  const ratio = times(samples.eight, samples.one)
  const bareRatio = times(samples.bareEight, samples.bareOne)
  const row = (
    count: number,
    one: readonly number[],
    bareOne: readonly number[],
    ratios: readonly string[],
  ): (string | number)[] => [count, shown(spread(one), 1), ratios[0] ?? '', shown(spread(bareOne), 1), ratios[1] ?? '']
  return {
    table: table(
      ['sessions', 'tokens/s', 'x one session', 'bare library, tokens/s', 'x one sequence'],
      [
        row(1, samples.one, samples.bareOne, []),
        row(sessions, samples.eight, samples.bareEight, [shown(ratio, 2), shown(bareRatio, 2)]),
      ],
    ),
    data: { sessions, tokens, samples, ratio, bareRatio },
    bars: [
      {
        text: `throughput of ${sessions} sessions at least 2.3 x one: ${ratio.p50.toFixed(2)}, of the bare library ${bareRatio.p50.toFixed(2)}`,
        kept: ratio.p50 >= 2.3,
      },
    ],
  }
}

/** Eight sequences behind openings of the same length, with the threads that the engine takes for several rows. */
async function bareSessions({ model }: SessionsBench): Promise<BareEngine> {
  const settings = { threads: availableParallelism(), flashAttention: true, sequences: sessions }
  const bare = new BareEngine(model.model, settings, 2 * sessions * promptTokens)
  for (let sequence = 0; sequence < sessions; sequence++) {
    await bare.evaluate(
      Int32Array.from({ length: promptTokens }, (_, at) => at + sequence),
      0,
      sequence,
    )
  }
  return bare
}

async function bareTokensPerSecond(bare: BareEngine, count: number): Promise<number> {
  let ms = 0
  for (let step = 0; step < bareSteps; step++) ms += await bare.step(count, promptTokens)
  return (1_000 * count * bareSteps) / ms
}
