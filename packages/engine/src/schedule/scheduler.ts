import { IncipitError } from '@incipit/core'
import type { Milliseconds } from '@incipit/core'
import type { CacheReset, KvCache } from '../cache/kv-cache.ts'
import type { CachedTokens, Lease } from '../cache/lease.ts'
import type { Context, Model } from '../native/contract.ts'
import { SamplerWorkspace } from '../sample/sampler-workspace.ts'
import { Answer } from './answer.ts'
import { BatchBuilder } from './batch-builder.ts'
import { BatchPlanner } from './batch-planner.ts'
import type { Planned } from './batch-planner.ts'
import { Generation } from './generation.ts'
import { PrefillPace } from './prefill-pace.ts'
import type { ScheduledRequest, SchedulerSink, Sharing } from './request.ts'
import { Roster } from './roster.ts'

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
  /** Of those, by the tier they came from. */
  readonly tierTokens: CachedTokens
  /** Prompt tokens, counted where they were in a batch that decoded. */
  readonly evaluatedTokens: number
  readonly generatedTokens: number
}

/** What a step did: evaluated a batch, worked behind the requests, or found nothing to do. */
export type Step = 'decoded' | 'background' | 'idle'

/**
 * Runs the generations of one context, one batch per step. Single-threaded: between two awaits nothing else touches
 * the context.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #builder: BatchBuilder
  readonly #workspace: SamplerWorkspace
  readonly #pace = new PrefillPace()
  readonly #roster: Roster
  readonly #planner: BatchPlanner
  #decoding = false
  #waiting: (() => void)[] = []
  #promptTokens = 0
  #queriedTokens = 0
  #cachedTokens = 0
  #tierTokens: CachedTokens = { hot: 0, ram: 0, disk: 0 }
  #evaluatedTokens = 0
  #generatedTokens = 0

  constructor(options: SchedulerOptions) {
    const { context, cache, exact, maxConcurrent } = options
    this.#options = options
    this.#builder = new BatchBuilder(context, cache.arena, { exact })
    this.#workspace = new SamplerWorkspace(options.model.facts.vocabularySize)
    this.#roster = new Roster(cache, options.monotonic)
    this.#planner = new BatchPlanner({
      cache,
      builder: this.#builder,
      pace: this.#pace,
      roster: this.#roster,
      maxConcurrent,
    })
  }

  get running(): number {
    return this.#roster.running.length
  }

  get queued(): number {
    return this.#roster.line.length
  }

  /** Tokens of the batch that is being evaluated now; 0 between two. */
  get decodingTokens(): number {
    return this.#decoding ? this.#builder.tokens : 0
  }

  get counters(): SchedulerCounters {
    return {
      promptTokens: this.#promptTokens,
      queriedTokens: this.#queriedTokens,
      cachedTokens: this.#cachedTokens,
      tierTokens: this.#tierTokens,
      evaluatedTokens: this.#evaluatedTokens,
      generatedTokens: this.#generatedTokens,
    }
  }

  /**
   * Whether one request more may come; call it before tokenising.
   * @throws IncipitError `overloaded` when the places are taken, and not by others who have more of them
   */
  checkRoom(sharing: Sharing): void {
    if (this.#isFull && this.#roster.line.longest(sharing) === undefined) throw this.#overloaded(sharing)
  }

  /**
   * Puts a request among those that wait. When there are too many, one of somebody who has more of them is refused.
   * @throws IncipitError `overloaded`, `context_overflow`, `invalid_request`
   */
  submit(request: ScheduledRequest): void {
    const { contextTokens, model, sink, cache } = this.#options
    const sharing = request.sharing ?? { org: request.scope, session: '' }
    this.checkRoom(sharing)
    const seen = request.prompt.length
    if (seen === 0) throw new IncipitError('invalid_request', 'the prompt has 0 tokens, at least 1 needed')
    if (seen >= contextTokens) {
      throw new IncipitError('context_overflow', `prompt is ${seen} tokens, ${contextTokens - 1} allowed`)
    }
    const maxLength = Math.min(contextTokens, seen + (request.maxTokens ?? Infinity))
    const answer = new Answer({ request, model, workspace: this.#workspace, maxTokens: maxLength - seen })
    const stops = request.prefixCache === 'on' ? cache.stops(request.prompt) : []
    if (this.#isFull) this.#giveUpOneFor(sharing)
    const turn = this.#roster.share.enter(sharing)
    this.#roster.line.push(new Generation({ request, answer, sink, maxLength, turn, stops }))
  }

  /** Ends a request without a further event. Its cells are free by the next step at the latest. */
  cancel(id: string): void {
    const waiting = this.#roster.line.find(id)
    if (waiting !== undefined) return this.#roster.leave(waiting)
    const generation = this.#roster.running.find(({ request }) => request.id === id)
    if (generation === undefined) return
    generation.cancelled = true
    generation.ended = true
    if (!this.#decoding) this.#roster.sweep()
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
    const planned = this.#planner.plan()
    if (planned.length === 0) return this.#options.cache.work() ? 'background' : 'idle'
    const startedAt = this.#options.monotonic()
    this.#decoding = true
    const outcome = await this.#builder.decode()
    this.#decoding = false
    // Every token had its cell reserved: a full buffer means that the books are wrong.
    if (outcome.kind !== 'done') throw new Error(`a batch of ${this.#builder.tokens} tokens ended as ${outcome.kind}`)
    this.#pace.note(this.#builder.tokens, this.#options.monotonic() - startedAt)
    for (const one of planned) this.#finishEntry(one)
    this.#roster.sweep()
    for (const resolve of this.#waiting.splice(0)) resolve()
    return 'decoded'
  }

  get #isFull(): boolean {
    const { maxConcurrent, maxQueued } = this.#options
    return this.running + this.queued >= maxConcurrent + maxQueued
  }

  #giveUpOneFor(newcomer: Sharing): void {
    const longest = this.#roster.line.longest(newcomer)
    if (longest === undefined) throw this.#overloaded(newcomer)
    longest.fail(this.#overloaded(longest.turn.sharing))
    this.#roster.leave(longest)
  }

  #overloaded(sharing: Sharing): IncipitError {
    const { maxConcurrent, maxQueued } = this.#options
    const { line, estimate, servedMs } = this.#roster
    const message = `${this.running + this.queued} requests are running or waiting, ${maxConcurrent + maxQueued} allowed`
    const retryAfterSeconds = estimate.seconds({ waiting: line.before(sharing), servedMs })
    return new IncipitError('overloaded', message, { retryAfterSeconds })
  }

  #finishEntry({ generation, entry, end }: Planned): void {
    const { cache } = this.#options
    const { lease } = generation
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
      this.#finishPrompt(generation, lease)
      if (generation.maxLength === generation.request.prompt.length) return generation.cutShort()
    }
    this.#advance(generation, entry)
  }

  #finishPrompt(generation: Generation, lease: Lease): void {
    const { cache } = this.#options
    const { prompt, scope, pins, prefixCache } = generation.request
    cache.publish(lease, prompt, prompt.length)
    if (lease.stores && !lease.forgotten) cache.keep(scope, prompt, pins ?? [])
    this.#promptTokens += prompt.length
    if (prefixCache === 'on' && cache.disabled === undefined) this.#queriedTokens += prompt.length
    this.#countCached(lease.cached)
    generation.reportPrompt()
  }

  #advance(generation: Generation, entry: number): void {
    try {
      generation.advance(this.#builder.logits(entry))
      this.#generatedTokens++
    } catch (cause) {
      // What the client asked for cannot be kept to: the logits are none the worse.
      if (IncipitError.is(cause)) return generation.fail(cause)
      // What gave such logits may be cached: nothing of this scope may be served again.
      this.#options.cache.reset(generation.request.scope)
      const detail = cause instanceof Error ? cause.message : 'unknown fault'
      generation.fail(new IncipitError('engine_failed', `sampling failed: ${detail}`, { cause }))
    }
  }

  #countCached({ hot, ram, disk }: CachedTokens): void {
    const { hot: oldHot, ram: oldRam, disk: oldDisk } = this.#tierTokens
    this.#tierTokens = { hot: oldHot + hot, ram: oldRam + ram, disk: oldDisk + disk }
    this.#cachedTokens += hot + ram + disk
  }
}
