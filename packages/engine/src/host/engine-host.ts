import { setImmediate } from 'node:timers/promises'
import { IncipitError, tokenCount } from '@incipit/core'
import type { RequestId } from '@incipit/core'
import type { EngineConfig, EngineRequest, ResetReport, ResetSelector } from '../engine.ts'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model, Native } from '../native/contract.ts'
import type { SchedulerSink } from '../schedule/request.ts'
import type { EngineAnswers, EngineCall, RequestEvent } from './protocol.ts'
import { toWire } from './protocol.ts'
import { ServedModel } from './served-model.ts'

/** What a process takes beside weights, KV and pools: code, heaps, scratch memory of the kernels. */
const processBytes = 300 * 1024 * 1024

/**
 * The models of the engine process and the loop that runs them. One batch at a time over all models:
 * two at once would fight for the same cores.
 */
export class EngineHost {
  readonly #models = new Map<string, ServedModel>()
  readonly #weights = new Map<string, Model>()
  readonly #send: (events: readonly RequestEvent[]) => void
  #events: RequestEvent[] = []
  #closing = false
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
    for (const entry of config.models) {
      if (this.#models.has(entry.name)) throw new Error(`two models are named "${entry.name}"`)
      const model = this.#weightsOf(native, entry.path, config.dataDir)
      // Oxlint would have them start at once; the templates they evaluate would fight for the cores.
      // oxlint-disable-next-line no-await-in-loop
      this.#models.set(entry.name, await ServedModel.start({ config, entry, model, sink }))
    }
  }

  /** Queues a request; what it is refused for arrives as its event. */
  generate(request: EngineRequest): void {
    const { id, generation } = request
    try {
      const served = this.#model(request.model)
      const { scheduler } = served
      // A full house must not tokenise first.
      scheduler.checkRoom()
      scheduler.submit({
        id,
        scope: request.scopeKey,
        prompt: served.promptTokens(generation),
        sampling: generation.sampling,
        maxTokens: generation.maxTokens,
        stop: generation.stop,
        topLogprobs: generation.topLogprobs,
        prefixCache: request.prefixCache,
      })
      this.#wake?.()
    } catch (error) {
      this.#send([{ id, error: toWire(error) }])
    }
  }

  cancel(id: RequestId): void {
    for (const { scheduler } of this.#models.values()) scheduler.cancel(id)
  }

  answer(question: EngineCall): Promise<EngineAnswers[keyof EngineAnswers]> | EngineAnswers[keyof EngineAnswers] {
    switch (question.ask) {
      case 'tokenize':
        return this.#model(question.model).promptTokens(question.generation)
      case 'reset':
        return this.#reset(question.selector)
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
    for (const model of this.#models.values()) model.close()
    for (const model of this.#weights.values()) model.close()
  }

  /** Ends `run` behind the step under way. */
  close(): void {
    this.#closing = true
    this.#wake?.()
  }

  async #stepAll(): Promise<boolean> {
    let worked = false
    for (const { scheduler } of this.#models.values()) {
      // oxlint-disable-next-line no-await-in-loop
      if ((await scheduler.step()) !== 'idle') worked = true
      if (this.#events.length > 0) this.#send(this.#events)
      this.#events = []
    }
    return worked
  }

  async #sleep(): Promise<void> {
    if (this.#closing || this.models.some(({ scheduler }) => scheduler.running + scheduler.queued > 0)) {
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

  #model(name: string): ServedModel {
    const served = this.#models.get(name)
    if (served === undefined) throw new IncipitError('unknown_model', `no model is named "${name}"`)
    return served
  }

  async #reset(selector: ResetSelector): Promise<ResetReport> {
    const selected = this.models.filter(({ info }) => selector.model === undefined || info.name === selector.model)
    const resets = await Promise.all(selected.map(({ scheduler }) => scheduler.reset(selector.scopePrefix ?? '')))
    const total = (count: (reset: (typeof resets)[number], index: number) => number): number =>
      resets.reduce((sum, reset, index) => sum + count(reset, index), 0)
    const hotBytes = total(({ hotTokens }, index) => hotTokens * (selected[index]?.info.kvBytesPerToken ?? 0))
    return {
      hotTokens: tokenCount(total(({ hotTokens }) => hotTokens)),
      ramTokens: tokenCount(total(({ ramTokens }) => ramTokens)),
      diskTokens: tokenCount(0),
      bytes: hotBytes + total(({ bytes }) => bytes),
    }
  }

  #stats(): EngineAnswers['stats'] {
    const planned = this.models.reduce((sum, { plan }) => sum + plan.kvBytes + plan.ramBytes, processBytes)
    const weights = [...this.#weights.values()].reduce((sum, { facts }) => sum + facts.fileBytes, 0)
    return {
      models: this.models.map((model) => model.stats()),
      running: this.models.reduce((sum, { scheduler }) => sum + scheduler.running, 0),
      queued: this.models.reduce((sum, { scheduler }) => sum + scheduler.queued, 0),
      residentBytes: process.memoryUsage.rss(),
      budgetBytes: planned + weights,
    }
  }
}
