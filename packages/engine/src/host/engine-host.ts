import { setImmediate } from 'node:timers/promises'
import { epochMs, IncipitError, tokenCount } from '@incipit/core'
import type { RequestId } from '@incipit/core'
import type { PinBook, PinnedPrefix } from '../cache/pin-book.ts'
import type {
  CachedPrefixes,
  EmbeddingRequest,
  EngineConfig,
  EngineEmbeddings,
  EnginePin,
  EngineRequest,
  PinAddress,
  PrefixQuery,
  ResetReport,
  ResetSelector,
} from '../engine.ts'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model, Native } from '../native/contract.ts'
import type { SchedulerSink, Sharing } from '../schedule/request.ts'
import type { EngineAnswers, EngineCall, RequestEvent } from './protocol.ts'
import { toWire } from './protocol.ts'
import { DiskTiers } from './disk-tiers.ts'
import { listPrefixes } from './list-prefixes.ts'
import { RememberedListing } from './remembered-listing.ts'
import { ServedModel } from './served-model.ts'
import { longestBatchMs } from './watchdog.ts'

/** What a process takes beside weights, KV and pools: code, heaps, scratch memory of the kernels. */
const processBytes = 300 * 1024 * 1024
/** Scratch memory that fits into that; what contexts work in beyond it is counted as well. */
const scratchIncluded = 120 * 1024 * 1024
/** How long a process that ends may take to write what it has cached. */
const lastWritesMs = 2_000

/**
 * The models of the engine process and the loop that runs them. One batch at a time over all models:
 * two at once would fight for the same cores.
 */
export class EngineHost {
  readonly #models = new Map<string, ServedModel>()
  readonly #weights = new Map<string, Model>()
  readonly #send: (events: readonly RequestEvent[]) => void
  #events: RequestEvent[] = []
  readonly #listing = new RememberedListing(() => performance.now())
  #disks: DiskTiers | undefined
  #closing = false
  /** When the last step of a model began. */
  #stepAt = 0
  #wake: (() => void) | undefined

  /** @param send takes the events of one step, together */
  constructor(send: (events: readonly RequestEvent[]) => void) {
    this.#send = send
  }

  get models(): readonly ServedModel[] {
    return [...this.#models.values()]
  }

  /** Loads the models. @throws Error in plain words when one cannot be served */
  async load(native: Native, config: EngineConfig): Promise<void> {
    const sink: SchedulerSink = {
      // Ids go in as they come out: the scheduler only hands them back.
      event: (id, event) => void this.#events.push({ id: id as RequestId, event }),
      fail: (id, error) => void this.#events.push({ id: id as RequestId, error: toWire(error) }),
    }
    const disks = new DiskTiers({ dataDir: config.dataDir, bytes: config.diskBytes, models: config.models.length })
    this.#disks = disks
    for (const entry of config.models) {
      if (this.#models.has(entry.name)) throw new Error(`two models are named "${entry.name}"`)
      const model = this.#weightsOf(native, entry.path, config.dataDir)
      // Oxlint would have them start at once; the templates they evaluate would fight for the cores.
      // oxlint-disable-next-line no-await-in-loop
      this.#models.set(entry.name, await ServedModel.start({ config, entry, model, sink, disks }))
    }
    await disks.findOtherStores()
  }

  /** Queues a request; what it is refused for arrives as its event. */
  generate(request: EngineRequest, at: number): void {
    const { id, generation } = request
    try {
      const served = this.#model(request.model)
      const { scheduler } = served
      const sharing = sharingOf(request)
      // A full house must not tokenise first.
      scheduler.checkRoom(sharing)
      served.cache.pins.advance(at)
      const prompt = served.promptTokens(generation)
      scheduler.submit({
        id,
        scope: request.scopeKey,
        sharing,
        prompt,
        ...served.controls(request, prompt, at),
        sampling: generation.sampling,
        maxTokens: generation.maxTokens,
        stop: generation.stop,
        topLogprobs: generation.topLogprobs,
        prefixCache: request.prefixCache,
        plan: served.planAnswer(generation, prompt),
      })
      this.#wake?.()
    } catch (error) {
      this.#send([{ id, error: toWire(error) }])
    }
  }

  cancel(id: RequestId): void {
    for (const { scheduler, embedder } of this.#models.values()) {
      scheduler.cancel(id)
      embedder.cancel(id)
    }
  }

  /** @param at the instant by the clock that lives of pins go by */
  answer(
    question: EngineCall,
    at: number,
  ): Promise<EngineAnswers[keyof EngineAnswers]> | EngineAnswers[keyof EngineAnswers] {
    switch (question.ask) {
      case 'tokenize':
        return this.#model(question.model).promptTokens(question.generation)
      case 'embed':
        return this.#embed(question.request)
      case 'reset':
        return this.#reset(question.selector)
      case 'prefixes':
        return this.#prefixes(question.query)
      case 'pins':
        return this.#pins(question.scopePrefix, at)
      case 'unpin':
        return this.#pinBook(question.pin, at).remove(question.pin.scopeKey, question.pin.id)
      case 'extend-pin': {
        const { pin, ttlMs } = question
        const extended = this.#pinBook(pin, at).extend(pin.scopeKey, pin.id, ttlMs)
        return extended === undefined ? undefined : describePin(pin.model, extended)
      }
      case 'stats':
      default:
        return this.#stats()
    }
  }

  /** Runs until `close`. @throws Error when a context broke: the process cannot go on */
  async run(): Promise<void> {
    while (!this.#closing) {
      // Each step builds on the one before it.
      // oxlint-disable-next-line no-await-in-loop
      const worked = await this.#stepAll()
      // Messages get their turn, also between pieces of work that wait for nothing.
      // oxlint-disable-next-line no-await-in-loop
      if (worked) await setImmediate()
      // oxlint-disable-next-line no-await-in-loop
      else await this.#sleep()
    }
    await this.#keepOnDisk()
    for (const model of this.#models.values()) model.close()
    for (const model of this.#weights.values()) model.close()
  }

  /** What is cached goes to disk, as much as there is time for. */
  async #keepOnDisk(): Promise<void> {
    const deadline = performance.now() + lastWritesMs
    for (const { cache } of this.#models.values()) while (performance.now() < deadline && cache.work());
    await this.#disks?.flush(Math.max(0, deadline - performance.now()))
    for (const { cache } of this.#models.values()) cache.pins.flush()
    await this.#disks?.close()
  }

  /** What is wrong with a batch that takes longer than any can; `undefined` where none does. */
  overdue(hangMs: number): string | undefined {
    const runMs = Math.round(performance.now() - this.#stepAt)
    for (const { info, scheduler, embedder } of this.#models.values()) {
      const tokens = scheduler.decodingTokens + embedder.decodingTokens
      const allowedMs = longestBatchMs(tokens, hangMs)
      if (tokens === 0 || runMs <= allowedMs) continue
      return `a batch of ${tokens} tokens of model "${info.name}" has run for ${runMs} ms, ${allowedMs} allowed`
    }
    return undefined
  }

  /** Ends `run` behind the step under way. */
  close(): void {
    this.#closing = true
    this.#wake?.()
  }

  async #stepAll(): Promise<boolean> {
    let worked = false
    for (const { scheduler, embedder } of this.#models.values()) {
      this.#stepAt = performance.now()
      // oxlint-disable-next-line no-await-in-loop
      if ((await scheduler.step()) !== 'idle') worked = true
      this.#stepAt = performance.now()
      // oxlint-disable-next-line no-await-in-loop
      if (await embedder.step()) worked = true
      if (this.#events.length > 0) this.#send(this.#events)
      this.#events = []
    }
    return worked
  }

  async #sleep(): Promise<void> {
    if (
      this.#closing ||
      this.models.some(({ scheduler, embedder }) => scheduler.running + scheduler.queued + embedder.pending > 0)
    ) {
      await setImmediate()
      return
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  #weightsOf(native: Native, path: string, dataDir: string): Model {
    let model = this.#weights.get(path)
    if (model === undefined) {
      model = native.loadModel(modelFile(path, dataDir), { dataDir })
      this.#weights.set(path, model)
    }
    return model
  }

  #embed({ id, model, inputs }: EmbeddingRequest): Promise<EngineEmbeddings> {
    const served = this.#model(model)
    const embedded = served.embedder.submit(id, served.inputTokens(inputs))
    this.#wake?.()
    return embedded
  }

  #model(name: string): ServedModel {
    const served = this.#models.get(name)
    if (served === undefined) throw new IncipitError('unknown_model', `no model is named "${name}"`)
    return served
  }

  async #reset(selector: ResetSelector): Promise<ResetReport> {
    const selected = this.models.filter(({ info }) => selector.model === undefined || info.name === selector.model)
    const resets = await Promise.all(selected.map((model) => model.reset(selector.scopePrefix ?? '')))
    this.#listing.forget()
    const total = (count: (reset: (typeof resets)[number], index: number) => number): number =>
      resets.reduce((sum, reset, index) => sum + count(reset, index), 0)
    const hotBytes = total(({ hotTokens }, index) => hotTokens * (selected[index]?.info.kvBytesPerToken ?? 0))
    return {
      hotTokens: tokenCount(total(({ hotTokens }) => hotTokens)),
      ramTokens: tokenCount(total(({ ramTokens }) => ramTokens)),
      diskTokens: tokenCount(total(({ diskTokens }) => diskTokens)),
      bytes: hotBytes + total(({ bytes }) => bytes),
    }
  }

  #prefixes(query: PrefixQuery): CachedPrefixes {
    const selected = this.models.filter(({ info }) => query.models?.includes(info.name) ?? true)
    const caches = selected.map(({ info, cache }) => ({ model: info.name, cache }))
    const blocks = selected.reduce((sum, { cache: { ram } }) => sum + ram.pool.size + (ram.disk?.blocks ?? 0), 0)
    return this.#listing.of(query, blocks, () => listPrefixes(caches, query))
  }

  #pinBook({ model }: PinAddress, at: number): PinBook {
    const { pins } = this.#model(model).cache
    pins.advance(at)
    return pins
  }

  #pins(scopePrefix: string, at: number): readonly EnginePin[] {
    return this.models.flatMap(({ info, cache }) => {
      cache.pins.advance(at)
      const pins = cache.pins.list().filter(({ scope }) => scope.startsWith(scopePrefix))
      return pins.map((pin) => describePin(info.name, pin))
    })
  }

  #stats(): EngineAnswers['stats'] {
    const scratch = this.models.reduce((sum, model) => sum + model.scratchBytes, 0)
    const planned = this.models.reduce(
      (sum, { plan, embedderBytes, policyBytes }) => sum + plan.kvBytes + plan.ramBytes + embedderBytes + policyBytes,
      processBytes + Math.max(0, scratch - scratchIncluded),
    )
    const weights = [...this.#weights.values()].reduce((sum, { facts }) => sum + facts.fileBytes, 0)
    return {
      models: this.models.map((model) => model.stats()),
      running: this.models.reduce((sum, { scheduler }) => sum + scheduler.running, 0),
      queued: this.models.reduce((sum, { scheduler }) => sum + scheduler.queued, 0),
      residentBytes: process.memoryUsage.rss(),
      budgetBytes: planned + weights,
      otherStores: this.#disks?.otherStores,
    }
  }
}

/** Sessions of different scopes are different ones, whatever they are called. */
function sharingOf({ sharing, scopeKey }: EngineRequest): Sharing {
  return { org: sharing?.org ?? scopeKey, session: `${scopeKey}/${sharing?.session ?? ''}` }
}

function describePin(model: string, pin: PinnedPrefix): EnginePin {
  const { id, scope: scopeKey, tokens, ttlMs, pinnedAt, expiresAt, reads } = pin
  const times = { pinnedAt: epochMs(pinnedAt), expiresAt: epochMs(expiresAt) }
  return { model, id, scopeKey, tokens: tokenCount(tokens.length), ttlMs, ...times, reads }
}
