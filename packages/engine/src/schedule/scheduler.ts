import { IncipitError } from '@incipit/core'
import type { Milliseconds } from '@incipit/core'
import { cellsOverStep, pageCells } from '../cache/cell-arena.ts'
import type { CacheReset, KvCache } from '../cache/kv-cache.ts'
import { sharedLength } from '../cache/shared-length.ts'
import type { Context, Model } from '../native/contract.ts'
import { SamplerWorkspace } from '../sample/sampler-workspace.ts'
import { Answer } from './answer.ts'
import { BatchBuilder } from './batch-builder.ts'
import { Generation } from './generation.ts'
import { PrefillPace } from './prefill-pace.ts'
import type { ScheduledRequest, SchedulerSink } from './request.ts'

export interface SchedulerOptions {
  readonly model: Model
  readonly context: Context
  readonly cache: KvCache
  readonly sink: SchedulerSink
  /** The same bits whatever else runs, at the price of a second row in every batch of one. */
  readonly exact: boolean
  /** Longest prompt and output together. */
  readonly contextTokens: number
  readonly maxConcurrent: number
  readonly maxQueued: number
  /** For durations only. */
  readonly monotonic: () => Milliseconds
}

/** Counters since the start, in tokens. */
export interface SchedulerCounters {
  readonly promptTokens: number
  /** Prompt tokens that were looked up in the prefix cache. */
  readonly queriedTokens: number
  readonly cachedTokens: number
  /** Prompt tokens, counted where they were in a batch that decoded. */
  readonly evaluatedTokens: number
  readonly generatedTokens: number
}

/** What a step did: evaluated a batch, worked behind the requests, or found nothing to do. */
export type Step = 'decoded' | 'background' | 'idle'

/** What a batch may hold. */
type Turn = 'both' | 'prompts' | 'answers'

/** An entry of the batch under way. */
interface Planned {
  readonly generation: Generation
  readonly entry: number
  readonly end: number
}

/**
 * Runs the generations of one context: one batch per step, the next token of everything that generates
 * first, then prompts in order of arrival. Start order is arrival order. Single-threaded: between two
 * awaits nothing else touches the context.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #builder: BatchBuilder
  readonly #workspace: SamplerWorkspace
  readonly #pace = new PrefillPace()
  #queue: Generation[] = []
  #running: Generation[] = []
  #planned: Planned[] = []
  #decoding = false
  #promptsNext = false
  #waiting: (() => void)[] = []
  #meanServiceMs = 1_000
  #promptTokens = 0
  #queriedTokens = 0
  #cachedTokens = 0
  #evaluatedTokens = 0
  #generatedTokens = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#builder = new BatchBuilder(options.context, options.cache.arena, { exact: options.exact })
    this.#workspace = new SamplerWorkspace(options.model.facts.vocabularySize)
  }

  get running(): number {
    return this.#running.length
  }

  get queued(): number {
    return this.#queue.length
  }

  get counters(): SchedulerCounters {
    return {
      promptTokens: this.#promptTokens,
      queriedTokens: this.#queriedTokens,
      cachedTokens: this.#cachedTokens,
      evaluatedTokens: this.#evaluatedTokens,
      generatedTokens: this.#generatedTokens,
    }
  }

  /** @throws IncipitError `overloaded` when one request more is too many; call it before tokenising */
  checkRoom(): void {
    const { maxConcurrent, maxQueued } = this.#options
    const present = this.#running.length + this.#queue.length
    const allowed = maxConcurrent + maxQueued
    if (present < allowed) return
    const seconds = Math.ceil((this.#meanServiceMs * (this.#queue.length + 1)) / maxConcurrent / 1_000)
    throw new IncipitError('overloaded', `${present} requests are running or waiting, ${allowed} allowed`, {
      retryAfterSeconds: Math.min(60, Math.max(1, seconds)),
    })
  }

  /**
   * Puts a request behind those that came before it.
   * @throws IncipitError `overloaded`, `context_overflow`, `invalid_request`
   */
  submit(request: ScheduledRequest): void {
    this.checkRoom()
    const { contextTokens, model, sink } = this.#options
    const seen = request.prompt.length
    if (seen === 0) throw new IncipitError('invalid_request', 'the prompt has 0 tokens, at least 1 needed')
    if (seen >= contextTokens) {
      throw new IncipitError('context_overflow', `prompt is ${seen} tokens, ${contextTokens - 1} allowed`)
    }
    const maxLength = Math.min(contextTokens, seen + (request.maxTokens ?? Infinity))
    const answer = new Answer({ request, model, workspace: this.#workspace, maxTokens: maxLength - seen })
    const submittedAt = this.#options.monotonic()
    const stops = request.prefixCache === 'on' ? this.#options.cache.stops(request.prompt) : []
    this.#queue.push(new Generation({ request, answer, sink, maxLength, submittedAt, stops }))
  }

  /** Ends a request without a further event. Its cells are free by the next step at the latest. */
  cancel(id: string): void {
    const waiting = this.#queue.findIndex((generation) => generation.request.id === id)
    if (waiting >= 0) {
      const [left] = this.#queue.splice(waiting, 1)
      left?.answer.close()
      return
    }
    const generation = this.#running.find((running) => running.request.id === id)
    if (generation === undefined) return
    generation.cancelled = true
    generation.ended = true
    if (!this.#decoding) this.#sweep()
  }

  /** Drops cached prefixes between two steps. */
  async reset(scopePrefix: string): Promise<CacheReset> {
    if (this.#decoding) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.#options.cache.reset(scopePrefix)
  }

  /**
   * Evaluates one batch, or does a piece of background work. One step at a time.
   * @throws Error when the context is broken: nothing of it can be used any more
   */
  async step(): Promise<Step> {
    this.#plan()
    if (this.#planned.length === 0) return this.#options.cache.work() ? 'background' : 'idle'
    const startedAt = this.#options.monotonic()
    this.#decoding = true
    const outcome = await this.#builder.decode()
    this.#decoding = false
    // Every token had its cell reserved: a full buffer means that the books are wrong.
    if (outcome.kind !== 'done') throw new Error(`a batch of ${this.#builder.tokens} tokens ended as ${outcome.kind}`)
    this.#pace.note(this.#builder.tokens, this.#options.monotonic() - startedAt)
    for (const planned of this.#planned) this.#finishEntry(planned)
    this.#planned = []
    this.#sweep()
    for (const resolve of this.#waiting.splice(0)) resolve()
    return 'decoded'
  }

  #plan(turn: Turn = this.#takeTurn()): void {
    this.#builder.clear()
    this.#planned = []
    const stalled: Generation[] = []
    for (const generation of this.#running) {
      if (generation.prefilling || turn === 'prompts') continue
      if (this.#hasRoom(generation)) this.#add(generation, generation.length)
      else stalled.push(generation)
    }
    const generating = this.#planned.length
    if (turn !== 'answers') {
      const beside = generating > 0 || (turn === 'prompts' && this.#running.some(({ prefilling }) => !prefilling))
      const budget = beside ? Math.min(this.#builder.room, this.#pace.tokens) : this.#builder.room
      if (this.#planPrompts(budget)) this.#admit(generating + budget)
      if (beside && turn === 'prompts' && this.#planned.length === 0) return this.#plan('answers')
    }
    const youngest = stalled.at(-1)
    if (this.#planned.length > 0 || youngest === undefined) return
    // Everyone waits for everyone: the youngest gives its room up, so that the others can go on. One that is
    // alone has room below its pages, not above: it comes back further down.
    if (youngest.length < this.#options.cache.maxTokens) this.#pause(youngest)
    else youngest.cutShort()
    this.#sweep()
    this.#plan()
  }

  /** Where prompts and answers do not share batches they take turns. */
  #takeTurn(): Turn {
    if (!this.#options.cache.wholeStates) return 'both'
    const prompts = this.#queue.length > 0 || this.#running.some(({ prefilling }) => prefilling)
    if (!this.#running.some(({ prefilling }) => !prefilling)) return 'prompts'
    this.#promptsNext = prompts && !this.#promptsNext
    return this.#promptsNext ? 'prompts' : 'answers'
  }

  /** Puts a running request back where it came from: behind the others that run, before all that wait. */
  #pause(generation: Generation): void {
    this.#running = this.#running.filter((running) => running !== generation)
    this.#queue.unshift(generation)
    this.#options.cache.release(generation.pause(), generation.tokens, generation.evaluated)
  }

  /** Prompts that were begun, in order; false when one of them stays unfinished. */
  #planPrompts(budget: number): boolean {
    let left = budget
    for (const generation of this.#running) {
      if (!generation.prefilling) continue
      if (left === 0) return false
      const end = this.#promptEnd(generation, left)
      left -= end - generation.evaluated
      this.#add(generation, end)
      if (end < generation.prefill.length || this.#options.cache.wholeStates) return false
    }
    return true
  }

  /** Starts waiting requests, in order, until the batch holds `limit` tokens. */
  #admit(limit: number): void {
    const { cache, maxConcurrent } = this.#options
    while (this.#queue.length > 0 && this.#running.length < maxConcurrent && this.#builder.tokens < limit) {
      if (cache.wholeStates && this.#planned.length > 0) return
      const generation = this.#queue[0] as Generation
      const { prefill: tokens, reserveTokens } = generation
      const { scope, prefixCache } = generation.request
      if (this.#isBeingEvaluated(generation)) return
      const lease = cache.acquire({ scope, tokens, reserveTokens, prefixCache })
      if (lease === undefined && this.#running.length > 0) return
      this.#queue.shift()
      if (lease === undefined) {
        generation.fail(new IncipitError('engine_failed', `no room for ${reserveTokens} tokens`))
        continue
      }
      this.#running.push(generation)
      generation.start(lease)
      const end = this.#promptEnd(generation, limit - this.#builder.tokens)
      this.#add(generation, end)
      // A prompt may end before the batch is full, where attention ends a step: nobody overtakes it then.
      if (end < generation.prefill.length) return
    }
  }

  /** How far to evaluate a prompt of which at most `count` tokens fit: part of it, to where attention ends a step. */
  #promptEnd(generation: Generation, count: number): number {
    const { evaluated, lease, prefill } = generation
    const stop = generation.stopFrom(evaluated + 1) ?? Infinity
    if (stop <= evaluated + count) return stop
    const end = evaluated + count
    if (end >= prefill.length || lease === undefined) return Math.min(end, prefill.length)
    const over = cellsOverStep(this.#options.cache.runs(lease, end - 1, end)[0]?.end ?? 0)
    return over < count ? end - over : end
  }

  /** Whether a prompt in this batch is about to make more of this one reusable than is now: then it waits. */
  #isBeingEvaluated(generation: Generation): boolean {
    const { scope, prefixCache } = generation.request
    const { prefill } = generation
    if (prefixCache === 'off' || this.#options.cache.disabled !== undefined) return false
    let shared = 0
    for (const { generation: other } of this.#planned) {
      if (!other.prefilling || other.request.scope !== scope || other.request.prefixCache === 'off') continue
      shared = Math.max(shared, sharedLength(prefill, other.prefill))
    }
    return shared >= pageCells && shared >= this.#options.cache.find(scope, prefill) + pageCells
  }

  #hasRoom(generation: Generation): boolean {
    const lease = generation.lease
    if (lease === undefined) return false
    if (generation.length <= lease.pages.length * pageCells) return true
    const wanted = Math.min(generation.maxLength, generation.length + 4 * pageCells)
    return this.#options.cache.extend(lease, wanted) || this.#options.cache.extend(lease, generation.length)
  }

  #add(generation: Generation, end: number): void {
    const { lease, tokens, evaluated } = generation
    if (lease === undefined) throw new Error('a generation without a lease cannot be evaluated')
    const wantsLogits = end === generation.length
    const { sequence, pages } = lease
    const entry = this.#builder.add({ sequence, pages, tokens, start: evaluated, end, wantsLogits })
    this.#planned.push({ generation, entry, end })
  }

  #finishEntry({ generation, entry, end }: Planned): void {
    const { cache } = this.#options
    const { request, lease } = generation
    const wasPrefilling = generation.prefilling
    if (wasPrefilling && !generation.reported) {
      generation.evaluatedPrompt += end - generation.evaluated
      this.#evaluatedTokens += end - generation.evaluated
    }
    generation.evaluated = end
    if (lease !== undefined && wasPrefilling && generation.stopFrom(end) === end) {
      cache.checkpoint(lease, generation.tokens, end)
    }
    if (generation.ended || lease === undefined || generation.prefilling) return
    if (wasPrefilling && !generation.reported) {
      cache.publish(lease, request.prompt, request.prompt.length)
      if (lease.stores && !lease.forgotten) cache.keep(request.scope, request.prompt, request.pins ?? [])
      this.#promptTokens += request.prompt.length
      const looksUp = request.prefixCache === 'on' && cache.disabled === undefined
      if (looksUp) this.#queriedTokens += request.prompt.length
      this.#cachedTokens += generation.cached
      generation.reportPrompt()
      if (generation.maxLength === request.prompt.length) return generation.cutShort()
    }
    try {
      generation.advance(this.#builder.logits(entry))
      this.#generatedTokens++
    } catch (cause) {
      // What gave such logits may be cached: nothing of this scope may be served again.
      cache.reset(request.scope)
      const detail = cause instanceof Error ? cause.message : 'unknown fault'
      generation.fail(new IncipitError('engine_failed', `sampling failed: ${detail}`, { cause }))
    }
  }

  /** Takes ended generations out; what they computed stays for others. */
  #sweep(): void {
    if (!this.#running.some((generation) => generation.ended)) return
    for (const generation of this.#running) {
      if (!generation.ended) continue
      generation.answer.close()
      if (generation.lease === undefined) continue
      this.#options.cache.release(generation.lease, generation.tokens, generation.evaluated)
      const serviceMs = this.#options.monotonic() - generation.submittedAt
      this.#meanServiceMs += (serviceMs - this.#meanServiceMs) / 8
    }
    this.#running = this.#running.filter((generation) => !generation.ended)
  }
}
