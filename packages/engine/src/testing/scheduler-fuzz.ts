import { expect } from 'vitest'
import type { Model } from '../native/contract.ts'
import { AnswerPlanner } from '../output/answer-plan.ts'
import { templateMarks } from '../output/template-marks.ts'
import { createRandom } from '../sample/random.ts'
import type { ScheduledRequest } from '../schedule/request.ts'
import { aGeneration } from './generation-fixture.ts'
import { SchedulerBench, greedy } from './scheduler-fixture.ts'
import type { BenchOptions } from './scheduler-fixture.ts'

type Request = Partial<ScheduledRequest> & Pick<ScheduledRequest, 'prompt'>

/** What happened in a run: proof that it was about something. */
export interface FuzzReport {
  readonly finished: number
  readonly cancelled: number
  readonly refused: number
  readonly reusedTokens: number
}

/**
 * Random requests of random sessions, some with a grammar, cancelled at random times, also while a batch is
 * evaluated; and resets. Everyone else's answer is compared with that of a lone cold run, log-probabilities included, and
 * at the end the books must balance: no cells, no leases, no sequence ids are held.
 */
export async function fuzzScheduler(
  model: Model,
  plan: { readonly seed: number; readonly steps: number; readonly bench: BenchOptions },
): Promise<FuzzReport> {
  const bench = await SchedulerBench.of(model, plan.bench)
  const random = createRandom(plan.seed)
  const some = (below: number): number => Math.floor(random() * below)
  const aRequest = requests(model, random, plan.bench)
  const alive = new Map<string, Request>()
  const cancelled = new Set<string>()
  let refused = 0
  const act = (): void => {
    if (random() < 0.4) {
      const request = aRequest()
      try {
        alive.set(bench.submit(request), request)
      } catch (error) {
        expect(error).toMatchObject({ code: 'overloaded' })
        refused++
      }
    }
    if (random() < 0.12 && alive.size > 0) {
      const id = [...alive.keys()][some(alive.size)] ?? ''
      bench.scheduler.cancel(id)
      const before = bench.events(id).length
      cancelled.add(id)
      alive.delete(id)
      expect(bench.events(id)).toHaveLength(before)
    }
  }
  for (let step = 0; step < plan.steps; step++) {
    act()
    const running = bench.scheduler.step()
    // While its batch is evaluated: a cancellation, a request, a reset.
    if (random() < 0.3) act()
    const reset = random() < 0.01 ? bench.scheduler.reset(random() < 0.5 ? 'a' : '') : undefined
    await running
    await reset
    if (random() < 0.02) await bench.settle()
  }
  await bench.drain()
  await bench.scheduler.reset('')
  await expectBalanced(bench, plan.bench.sequences ?? 64)
  const outcomes = [...alive].map(([id, request]) => ({ request, outcome: bench.outcome(id), said: said(bench, id) }))
  const { cachedTokens: reusedTokens } = bench.scheduler.counters
  bench.close()
  let finished = 0
  const cold = await SchedulerBench.of(model, { ...plan.bench, cells: 4_096, maxConcurrent: 1, ramBytes: 2 ** 20 })
  for (const { request, outcome, said: answer } of outcomes) {
    // Refused in the place of one of somebody who had fewer waiting.
    if (outcome.error !== undefined) {
      expect(outcome.error).toMatchObject({ code: 'overloaded' })
      expect(answer).toEqual([])
      refused++
      continue
    }
    const id = cold.submit({ ...request, scope: `alone-${finished++}`, prefixCache: 'off' })
    await cold.drain()
    expect(answer).toEqual(said(cold, id))
  }
  cold.close()
  return { finished, cancelled: cancelled.size, refused, reusedTokens }
}

/** Everything an answer says, whatever pieces it came in; ids of calls are drawn. */
function said(bench: SchedulerBench, id: string): readonly unknown[] {
  return bench.events(id).flatMap((event) => {
    if (event.kind === 'prompt') return []
    return [event.kind === 'tool-start' ? { ...event, id: '' } : event]
  })
}

async function expectBalanced(bench: SchedulerBench, sequences: number): Promise<void> {
  const { cache, scheduler } = bench
  expect([scheduler.running, scheduler.queued]).toEqual([0, 0])
  expect([cache.heldTokens, cache.tree.cells, cache.tree.leafCount]).toEqual([0, 0, 0])
  expect(cache.arena.freePages).toBe(cache.arena.pages)
  if (!cache.wholeStates) expect(cache.arena.top).toBe(16)
  const taken = []
  for (;;) {
    const lease = cache.acquire({ scope: '', tokens: Int32Array.of(1), reserveTokens: 1, prefixCache: 'off' })
    if (lease === undefined) break
    taken.push(lease)
  }
  expect(taken).toHaveLength(Math.min(sequences - 3, cache.arena.pages))
  for (const lease of taken) cache.release(lease, Int32Array.of(1), 0, undefined)
}

/** Prompts that begin alike, of several scopes and sessions. */
function requests(
  model: Model,
  random: () => number,
  { contextTokens = 1_024, checkpoints }: BenchOptions,
): () => Request {
  const cuttable = checkpoints !== true
  const some = (below: number): number => Math.floor(random() * below)
  const text = (count: number): Int32Array => Int32Array.from({ length: count }, () => 300 + some(400))
  const openings = [40, 130, 300, 500].map((length) => text(length))
  const { chatTemplate } = model.facts
  const json = new AnswerPlanner(templateMarks(chatTemplate)).plan({ ...aGeneration([]), format: { kind: 'json' } })
  return () => {
    const opening = openings[some(openings.length)] ?? text(1)
    const cut = random() < 0.5 ? opening.length : 1 + some(opening.length)
    // Whole states are reused by prompts that come again.
    const prompt = cuttable
      ? Int32Array.of(...opening.subarray(0, cut), ...text(1 + some(60))).subarray(0, contextTokens - 1)
      : Int32Array.of(...opening, some(3) + 300)
    return {
      prompt,
      scope: random() < 0.7 ? 'a' : 'b',
      sharing: { org: `org-${some(3)}`, session: `session-${some(3)}` },
      maxTokens: random() < 0.1 ? 0 : 1 + some(40),
      sampling: random() < 0.5 ? greedy : { ...greedy, temperature: 1, seed: some(1_000) },
      topLogprobs: random() < 0.6 ? 3 : undefined,
      prefixCache: random() < 0.85 ? 'on' : 'off',
      plan: random() < 0.25 ? json : undefined,
    }
  }
}
