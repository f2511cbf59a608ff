import { greedySampling as greedy, milliseconds } from '@incipit/core'
import type { GenerationEvent, IncipitError, PromptReport } from '@incipit/core'
import { CheckpointFiles } from '../cache/checkpoint/checkpoint-files.ts'
import { CheckpointStore } from '../cache/checkpoint/checkpoint-store.ts'
import { KvCache } from '../cache/kv-cache.ts'
import { isPurelyRecurrent } from '../native/sequence-count.ts'
import type { Context, Model } from '../native/contract.ts'
import type { ScheduledRequest } from '../schedule/request.ts'
import { Scheduler } from '../schedule/scheduler.ts'
import type { Step } from '../schedule/scheduler.ts'

export { greedySampling as greedy } from '@incipit/core'

/** What became of one request. */
export interface Outcome {
  readonly prompt: PromptReport | undefined
  readonly text: string
  /** Where they were asked for: equal ones come of equal logits. */
  readonly logprobs: readonly number[]
  readonly reason: string | undefined
  readonly outputTokens: number
  readonly error: IncipitError | undefined
}

export interface BenchOptions {
  readonly cells?: number
  readonly contextTokens?: number
  readonly ramBytes?: number
  readonly hotCells?: number
  readonly minCachedTokens?: number
  readonly maxConcurrent?: number
  readonly maxQueued?: number
  readonly sequences?: number
  readonly batchTokens?: number
  readonly uncacheable?: string
  /** Reuse whole states instead of cells. */
  readonly checkpoints?: boolean
  readonly diskIn?: string
  /** Batches take no time: how many tokens they hold does not depend on the machine. */
  readonly timeless?: boolean
}

/** A scheduler over a real context, and what it sent. */
export class SchedulerBench {
  readonly scheduler: Scheduler
  readonly cache: KvCache
  readonly context: Context
  /** Request ids in the order in which their prompts were done. */
  readonly started: string[] = []
  /** For each batch, how many tokens of each scope were in it. */
  readonly batches: ReadonlyMap<string, number>[] = []
  readonly #events = new Map<string, GenerationEvent[]>()
  readonly #errors = new Map<string, IncipitError>()
  #nextId = 0

  private constructor(model: Model, context: Context, cache: KvCache, options: BenchOptions) {
    this.context = context
    this.cache = cache
    recordBatches(this)
    this.scheduler = new Scheduler({
      model,
      context,
      cache,
      sink: {
        event: (id, event) => {
          if (event.kind === 'prompt') this.started.push(id)
          this.#events.set(id, [...(this.#events.get(id) ?? []), event])
        },
        fail: (id, error) => void this.#errors.set(id, error),
      },
      exact: true,
      contextTokens: options.contextTokens ?? Math.min(2_048, cache.maxTokens),
      maxConcurrent: options.maxConcurrent ?? 8,
      maxQueued: options.maxQueued ?? 64,
      monotonic: () => milliseconds(options.timeless === true ? 0 : performance.now()),
    })
  }

  static async of(model: Model, options: BenchOptions = {}): Promise<SchedulerBench> {
    const sequences = options.sequences ?? 64
    const context = model.createContext({
      cells: options.cells ?? 8_192,
      batchTokens: options.batchTokens ?? 256,
      sequences,
      threads: { decode: 1, prefill: 1 },
      flashAttention: false,
    })
    const cache = new KvCache({
      context,
      sequences,
      modelHash: model.facts.fileHash,
      minCachedTokens: options.minCachedTokens ?? 16,
      ramBytes: options.ramBytes ?? 0,
      hotCells: options.hotCells ?? Infinity,
      uncacheable: options.uncacheable,
      placesCells: !isPurelyRecurrent(model.facts),
      checkpoints: options.checkpoints === true ? checkpointsOf(model, context, options) : undefined,
    })
    await cache.start()
    return new SchedulerBench(model, context, cache, options)
  }

  submit(request: Partial<ScheduledRequest> & Pick<ScheduledRequest, 'prompt'>): string {
    const id = request.id ?? `request-${this.#nextId++}`
    this.scheduler.submit({
      scope: 'a',
      sampling: greedy,
      maxTokens: 4,
      stop: [],
      topLogprobs: undefined,
      prefixCache: 'on',
      ...request,
      id,
    })
    return id
  }

  /** Steps until nothing is left but background work. */
  async drain(): Promise<void> {
    while (this.scheduler.running + this.scheduler.queued > 0) await this.scheduler.step()
  }

  /** Steps until there is nothing left at all. */
  async settle(): Promise<void> {
    let step: Step
    do step = await this.scheduler.step()
    while (step !== 'idle')
  }

  /** Submits one request and steps until it is done. */
  async run(request: Partial<ScheduledRequest> & Pick<ScheduledRequest, 'prompt'>): Promise<Outcome> {
    const id = this.submit(request)
    await this.drain()
    return this.outcome(id)
  }

  events(id: string): readonly GenerationEvent[] {
    return this.#events.get(id) ?? []
  }

  outcome(id: string): Outcome {
    const events = this.events(id)
    const finish = events.find((event) => event.kind === 'finish')
    return {
      prompt: events.find((event) => event.kind === 'prompt'),
      logprobs: events.flatMap((event) =>
        event.kind === 'text-delta'
          ? (event.logprobs ?? []).flatMap(({ logprob, top }) => [logprob, ...top.map((one) => one.logprob)])
          : [],
      ),
      text: events.map((event) => (event.kind === 'text-delta' ? event.text : '')).join(''),
      reason: finish?.reason,
      outputTokens: finish?.outputTokens ?? 0,
      error: this.#errors.get(id),
    }
  }

  close(): void {
    this.context.close()
  }
}

/** Notes which scopes the rows of each batch belong to. */
function recordBatches({ cache, context, batches }: SchedulerBench): void {
  const scopes = new Map<number, string>()
  const acquire = cache.acquire.bind(cache)
  cache.acquire = (request) => {
    const lease = acquire(request)
    if (lease !== undefined) scopes.set(lease.sequence, lease.scope)
    return lease
  }
  const decode = context.decode.bind(context)
  context.decode = (rows) => {
    const counts = new Map<string, number>()
    for (const sequence of context.batch.sequences.subarray(0, rows)) {
      const scope = scopes.get(sequence)
      if (scope !== undefined) counts.set(scope, (counts.get(scope) ?? 0) + 1)
    }
    batches.push(counts)
    return decode(rows)
  }
}

function checkpointsOf(model: Model, context: Context, { ramBytes = 2 ** 22, diskIn }: BenchOptions): CheckpointStore {
  const files = diskIn === undefined ? undefined : CheckpointFiles.open(diskIn, 2 ** 26)
  if (typeof files === 'string') throw new Error(files)
  return new CheckpointStore({ context, model, modelHash: model.facts.fileHash, capacityBytes: ramBytes, files })
}

/** `count` token ids that stand for ordinary text in the built-in model. */
export function randomPrompt(random: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => 300 + Math.floor(random() * 1_500))
}
