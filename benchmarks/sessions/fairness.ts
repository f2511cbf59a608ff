import { modelStatus, settled } from '../support/engine-status.ts'
import { shown } from '../support/show.ts'
import { spread } from '../support/statistics.ts'
import { ttftMs } from '../support/streamed-chat.ts'
import { table } from '../support/table.ts'
import type { Part, SessionsBench } from './bench.ts'
import { askOnce, freshPrompt } from './bench.ts'

const shortTokens = 64
/** More of them would slow the long prompt down by more than they tell. */
const mostShort = 6

/** A short request while a long cold prompt is being evaluated, beside both alone. */
export async function measureFairness(bench: SessionsBench): Promise<Part> {
  const longTokens = bench.quick ? 2_048 : 8_192
  const samples = {
    short: { alone: [] as number[], beside: [] as number[] },
    long: { alone: [] as number[], beside: [] as number[] },
  }
  const alone = async (): Promise<void> => {
    samples.long.alone.push(ttftMs(await askOnce(bench, freshPrompt(bench, longTokens))))
    await settled(bench.server)
    for (let again = 0; again < 3; again++) {
      samples.short.alone.push(ttftMs(await askOnce(bench, freshPrompt(bench, shortTokens))))
    }
  }
  const beside = async (): Promise<void> => {
    const prompt = freshPrompt(bench, longTokens)
    const questions = Array.from({ length: mostShort }, () => freshPrompt(bench, shortTokens))
    const evaluation = { over: false }
    const long = askOnce(bench, prompt).finally(() => (evaluation.over = true))
    while (!evaluation.over && (await modelStatus(bench.server, 'smol')).running === 0) await pause()
    const before = samples.short.beside.length
    for (const question of questions) {
      if (evaluation.over) break
      samples.short.beside.push(ttftMs(await askOnce(bench, question)))
      await pause()
    }
    samples.long.beside.push(ttftMs(await long))
    if (samples.short.beside.length === before) throw new Error('the long prompt was over before a short one was sent')
  }
  for (let round = 0; round < bench.rounds; round++) {
    for (const run of round % 2 === 0 ? [alone, beside] : [beside, alone]) {
      await settled(bench.server)
      await run()
    }
    bench.progress(`fairness: round ${round + 1} of ${bench.rounds}`)
  }
  const rows = [
    { name: `${shortTokens} tokens`, ...spreadsOf(samples.short) },
    { name: `${longTokens} tokens`, ...spreadsOf(samples.long) },
  ]
  return {
    table: table(
      ['prompt', 'alone, ms', 'beside the other, ms', 'ratio of medians'],
      rows.map(({ name, alone, beside }) => [
        name,
        shown(alone, 0),
        `${shown(beside, 0)}, ${beside.count} requests`,
        (beside.p50 / alone.p50).toFixed(2),
      ]),
    ),
    data: { shortTokens, longTokens, rows },
    bars: [],
  }
}

function spreadsOf({ alone, beside }: { readonly alone: readonly number[]; readonly beside: readonly number[] }) {
  return { alone: spread(alone), beside: spread(beside) }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50))
}
