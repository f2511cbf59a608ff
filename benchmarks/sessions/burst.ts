import type { SplitPrompt } from '@incipit/engine/bench'
import { promptOfLength, questionOf, requestOf, sharedTokens } from '@incipit/engine/bench'
import { modelStatus, settled } from '../support/engine-status.ts'
import { shown } from '../support/show.ts'
import { spread } from '../support/statistics.ts'
import type { StreamedAnswer } from '../support/streamed-chat.ts'
import { ttftMs } from '../support/streamed-chat.ts'
import { table } from '../support/table.ts'
import type { Part, SessionsBench } from './bench.ts'
import { askOnce, questionTokens } from './bench.ts'
import { timesEvaluated } from './times-evaluated.ts'

const together = 32

/** Requests that arrive together on one opening that nobody has asked before, beside one that is alone. */
export async function measureBurst(bench: SessionsBench): Promise<Part> {
  const prefixTokens = bench.quick ? 1_024 : 4_096
  const samples = { alone: [] as number[], first: [] as number[], last: [] as number[], times: [] as number[] }
  const evaluated: { readonly prefix: number; readonly ends: number; readonly all: number }[] = []
  const alone = async (): Promise<void> => {
    const [prompt] = openings(bench, prefixTokens, 1)
    if (prompt !== undefined) samples.alone.push(ttftMs(await askOnce(bench, prompt)))
  }
  const burst = async (): Promise<void> => {
    const prompts = openings(bench, prefixTokens, together)
    const before = (await modelStatus(bench.server, 'smol')).tokens
    const answers = await Promise.all(prompts.map((prompt) => askOnce(bench, prompt)))
    const after = (await modelStatus(bench.server, 'smol')).tokens
    const all = after.evaluated - before.evaluated
    checkUsage(answers, all)
    const counts = { ...ownTokens(bench, prompts), all }
    evaluated.push(counts)
    samples.times.push(timesEvaluated(counts))
    const delays = answers.map(ttftMs)
    samples.first.push(Math.min(...delays))
    samples.last.push(Math.max(...delays))
  }
  for (let round = 0; round < bench.rounds; round++) {
    for (const run of round % 2 === 0 ? [alone, burst] : [burst, alone]) {
      await settled(bench.server)
      await run()
    }
    bench.progress(`burst: round ${round + 1} of ${bench.rounds}`)
  }
  const spreads = {
    alone: spread(samples.alone),
    first: spread(samples.first),
    last: spread(samples.last),
    times: spread(samples.times),
  }
  const { alone: one, first, last, times } = spreads
  return {
    table: table(
      ['requests', 'prefix', 'first token of the first, ms', 'of the last, ms', 'prefix evaluated'],
      [
        [1, prefixTokens, shown(one, 0), '', ''],
        [together, prefixTokens, shown(first, 0), shown(last, 0), `${shown(times, 2)} times`],
      ],
    ),
    data: { together, prefixTokens, ...spreads, evaluated },
    bars: [{ text: `prefix evaluated once: ${times.max.toFixed(2)} times at most`, kept: times.max < 1.1 }],
  }
}

/** Prompts with one long opening, each with an end of its own. */
function openings({ model }: SessionsBench, prefixTokens: number, count: number): SplitPrompt[] {
  const { system } = promptOfLength(model.tokenise, prefixTokens, questionTokens)
  return Array.from({ length: count }, () => ({ system, user: questionOf(model.tokenise, questionTokens) }))
}

/** Tokens that all prompts share, and the sum of those behind. */
function ownTokens({ model }: SessionsBench, prompts: readonly SplitPrompt[]): { prefix: number; ends: number } {
  const all = prompts.map((prompt) => model.tokenise(requestOf(prompt)))
  const [first = new Int32Array(0), ...others] = all
  const prefix = Math.min(...others.map((tokens) => sharedTokens(first, tokens)))
  return { prefix, ends: all.reduce((sum, tokens) => sum + tokens.length - prefix, 0) }
}

/** @throws Error where the engine evaluated another number of tokens than the answers say: somebody else was served */
function checkUsage(answers: readonly StreamedAnswer[], evaluated: number): void {
  const told = answers.reduce((sum, { promptTokens, cachedTokens }) => sum + promptTokens - cachedTokens, 0)
  if (told !== evaluated) throw new Error(`the engine evaluated ${evaluated} tokens, answers tell of ${told}`)
}
