import type { EpochMs, GenerationEvent, GenerationRequest, RequestId } from '@incipit/core'
import { compiledEntry, epochMs, IncipitError, requestId } from '@incipit/core'
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type {
  CachedPrefixes,
  EmbeddingRequest,
  Engine,
  EngineConfig,
  EngineEmbeddings,
  EngineModelInfo,
  EnginePin,
  EngineRequest,
  EngineStats,
  PrefixQuery,
  PinAddress,
  PinRequest,
  ResetReport,
  ResetSelector,
} from '../engine.ts'
import { EventQueue } from './event-queue.ts'
import type { EngineAnswers, EngineCall, FromEngine, RequestEvent, ToEngine } from './protocol.ts'
import { fromWire } from './protocol.ts'
import { RestartGate } from './restart-gate.ts'
import { defaultHangMs, Watchdog } from './watchdog.ts'

/** The engine, or why there is none on this machine. */
export type StartedEngine =
  | { readonly kind: 'started'; readonly engine: Engine }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** What became of the engine's process since its models were first there. */
export type EngineTurn =
  | {
      /** It ended unasked, or could not be started again; it is started in `restartMs`. */
      readonly kind: 'ended'
      readonly reason: string
      readonly signal: NodeJS.Signals | undefined
      readonly exitCode: number | undefined
      /** Requests that failed with it. */
      readonly requestsInFlight: number
      readonly restartMs: number
    }
  | { readonly kind: 'back'; readonly restarts: number; readonly models: readonly EngineModelInfo[] }

/** What the engine takes from around it. */
export interface EnginePorts {
  readonly now: () => EpochMs
  readonly onTurn?: ((turn: EngineTurn) => void) | undefined
}

/** How a process ended. */
interface ProcessEnd {
  readonly reason: string
  readonly signal?: NodeJS.Signals | undefined
  readonly exitCode?: number | undefined
}

const systemPorts: EnginePorts = { now: () => epochMs(Date.now()) }

/**
 * Starts the engine in a process of its own and waits until its models are loaded.
 * @param ports.onTurn hears that the process ended and that it is back; an end that was asked for is none
 * @param ports.now the wall clock that lives of pins and of a provider's entries go by; a test may move it
 * @throws Error in plain words when a model cannot be served
 * @example const started = await startEngine(config)
 */
export async function startEngine(config: EngineConfig, ports: EnginePorts = systemPorts): Promise<StartedEngine> {
  const engine = new EngineProcess(config, ports)
  const first = await engine.start()
  if (first.kind === 'ready') return { kind: 'started', engine }
  await engine.close()
  if (first.kind === 'unavailable') return first
  throw new Error(first.message)
}

/** How a start of the process ended. */
type StartOutcome = Extract<FromEngine, { kind: 'ready' | 'unavailable' | 'refused' }>

interface PendingCall {
  readonly ask: EngineCall['ask']
  readonly resolve: (answer: EngineAnswers[keyof EngineAnswers]) => void
  readonly reject: (error: IncipitError) => void
}

/** Milliseconds a request or question waits for a process that has just ended. */
const restartWaitMs = 10_000
/** Milliseconds a question may take: long prompts take long to tokenise, and a reset waits for a batch. */
const answerMs = {
  stats: 5_000,
  prefixes: 5_000,
  tokenize: 30_000,
  reset: 30_000,
  embed: 300_000,
  pins: 5_000,
  unpin: 5_000,
  'extend-pin': 5_000,
} as const
/** Milliseconds the process may take to load its models. */
const loadMs = 30 * 60_000
const maxErrorText = 4_096

/**
 * The parent's side: requests and questions in, events and answers out. When the process ends
 * unasked, what was in flight fails with `engine_failed` and a new one is started, as often as it
 * takes; requests that arrive meanwhile wait for it a while.
 */
class EngineProcess implements Engine {
  readonly #config: EngineConfig
  readonly #now: () => EpochMs
  readonly #onTurn: (turn: EngineTurn) => void
  readonly #requests = new Map<RequestId, EventQueue>()
  readonly #calls = new Map<number, PendingCall>()
  #models: readonly EngineModelInfo[] = []
  #child: ChildProcess | undefined
  readonly #gate = new RestartGate()
  #wasReady = false
  #restart: NodeJS.Timeout | undefined
  #nextCall = 0
  #restarts = 0
  #givesUp = false
  #errorText = ''

  constructor(config: EngineConfig, ports: EnginePorts) {
    this.#config = config
    this.#now = ports.now
    this.#onTurn = ports.onTurn ?? (() => undefined)
  }

  get models(): readonly EngineModelInfo[] {
    return this.#models
  }

  get ready(): boolean {
    return this.#gate.isOpen
  }

  start(): Promise<StartOutcome> {
    return this.#spawn()
  }

  async *generate(request: EngineRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    signal.throwIfAborted()
    await this.#gate.pass(restartWaitMs, signal)
    const queue = new EventQueue()
    const abort = (): void => queue.fail(signal.reason)
    this.#requests.set(request.id, queue)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      this.#send({ kind: 'generate', request, at: this.#now() })
      yield* queue
    } finally {
      signal.removeEventListener('abort', abort)
      this.#requests.delete(request.id)
      // The process ignores ids it does not know: a finished request needs no other way out.
      this.#send({ kind: 'cancel', id: request.id })
    }
  }

  tokenize(model: string, generation: GenerationRequest): Promise<Int32Array> {
    return this.#ask({ ask: 'tokenize', model, generation })
  }

  async embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EngineEmbeddings> {
    signal.throwIfAborted()
    const embedded = this.#ask<EngineEmbeddings>({ ask: 'embed', request })
    const { promise: given, reject: giveUp } = withReject()
    const abort = (): void => {
      giveUp(signal.reason)
      // Behind the question, which may not have left yet.
      setImmediate(() => this.#send({ kind: 'cancel', id: request.id }))
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([embedded, given])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  reset(selector: ResetSelector): Promise<ResetReport> {
    return this.#ask({ ask: 'reset', selector })
  }

  prefixes(query: PrefixQuery): Promise<CachedPrefixes> {
    return this.#ask({ ask: 'prefixes', query })
  }

  async pin(request: PinRequest, signal: AbortSignal): Promise<EnginePin> {
    const { model, scopeKey, ttlMs } = request
    const message = request.generation.messages.length - 1
    const id = `pin_${randomUUID()}`
    const cache = { pins: [{ place: { kind: 'message' as const, message }, ttlMs }] }
    const generation = { ...request.generation, maxTokens: 0, cache }
    const evaluation = { id: requestId(id), model, scopeKey, generation, prefixCache: 'on' as const, pinId: id }
    // Its end says that the prompt is evaluated, and so pinned.
    for await (const event of this.generate(evaluation, signal)) if (event.kind === 'finish') break
    const pin = (await this.pins(scopeKey)).find((one) => one.id === id)
    if (pin !== undefined) return pin
    throw new IncipitError(
      'engine_failed',
      'the prefix could not be kept: there is no room, or the model caches nothing',
    )
  }

  unpin(pin: PinAddress): Promise<boolean> {
    return this.#ask({ ask: 'unpin', pin })
  }

  extendPin(pin: PinAddress, ttlMs: number): Promise<EnginePin | undefined> {
    return this.#ask({ ask: 'extend-pin', pin, ttlMs })
  }

  pins(scopePrefix = ''): Promise<readonly EnginePin[]> {
    return this.#ask({ ask: 'pins', scopePrefix })
  }

  async stats(): Promise<EngineStats> {
    const stats = await this.#ask<EngineAnswers['stats']>({ ask: 'stats' })
    return { ...stats, restarts: this.#restarts }
  }

  async close(): Promise<void> {
    this.#gate.close()
    clearTimeout(this.#restart)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
    this.#send({ kind: 'close' })
    const kill = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(kill)
  }

  async #ask<Answer extends EngineAnswers[keyof EngineAnswers]>(question: EngineCall): Promise<Answer> {
    const allowedMs = answerMs[question.ask]
    const startedAt = performance.now()
    await this.#gate.pass(Math.min(allowedMs, restartWaitMs))
    const call = this.#nextCall++
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<Answer>((resolve, reject) => {
      // The answer's type follows from the question, which the process answers in kind.
      this.#calls.set(call, { ask: question.ask, resolve: resolve as PendingCall['resolve'], reject })
      timer = setTimeout(
        () => {
          const what = `the engine did not answer "${question.ask}" within ${allowedMs} ms`
          this.#settle(call)?.reject(new IncipitError('engine_failed', what, { retryAfterSeconds: 1 }))
        },
        allowedMs - (performance.now() - startedAt),
      )
      this.#send({ kind: 'call', call, at: this.#now(), ...question })
    })
    return answer.finally(() => clearTimeout(timer))
  }

  #send(message: ToEngine): void {
    // A process that has just ended takes nothing more; its `exit` fails whatever was in flight.
    if (this.#child?.connected === true) this.#child.send(message, () => undefined)
  }

  #spawn(): Promise<StartOutcome> {
    const child = fork(compiledEntry(import.meta.url, './child.js'), {
      serialization: 'advanced',
      // The flags of this process (a test runner's, a debugger's) are not meant for that one.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    this.#errorText = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-maxErrorText)
    })
    return new Promise((resolve) => {
      let why: string | undefined
      const kill = (reason: string): void => {
        why = reason
        child.kill('SIGKILL')
      }
      const hangMs = this.#config.hangMs ?? defaultHangMs
      const dog = new Watchdog(
        {
          ask: () => this.#send({ kind: 'ping' }),
          hung: () => kill(`the engine process gave no sign of life for ${hangMs} ms and was ended`),
        },
        hangMs,
      )
      const slow = setTimeout(() => kill(`the engine process did not load its models within ${loadMs} ms`), loadMs)
      slow.unref()
      child.on('message', (message) => {
        const received = message as FromEngine // our own child speaks the protocol
        if (received.kind === 'ready') {
          clearTimeout(slow)
          dog.start()
        }
        if (received.kind === 'refused') why = received.message
        dog.heard()
        this.#receive(received, resolve)
      })
      const ended = (end: ProcessEnd): void => {
        clearTimeout(slow)
        dog.stop()
        const reason = why ?? end.reason
        resolve({ kind: 'refused', message: reason })
        if (this.#child === child) this.#ended({ ...end, reason })
      }
      child.on('exit', (code, signal) => {
        const reason = `the engine process ended (${signal ?? `code ${code}`})${this.#lastWords()}`
        ended({ reason, signal: signal ?? undefined, exitCode: code ?? undefined })
      })
      // A process that could not be created never exits.
      child.on('error', (error) => {
        if (child.pid === undefined) ended({ reason: `the engine process could not be started: ${error.message}` })
      })
      this.#send({ kind: 'start', config: this.#config })
    })
  }

  #receive(message: FromEngine, started: (outcome: StartOutcome) => void): void {
    switch (message.kind) {
      case 'ready':
        started(message)
        this.#opened(message.models)
        break
      case 'unavailable':
      case 'refused':
        // What was served before can be served again: a restart goes on trying.
        if (!this.#wasReady) this.#givesUp = true
        started(message)
        break
      case 'alive':
        break
      case 'events':
        for (const step of message.events) this.#deliver(step)
        break
      case 'answer':
        this.#settle(message.call)?.resolve(message.answer)
        break
      case 'no-answer':
        this.#settle(message.call)?.reject(fromWire(message.error))
        break
    }
  }

  #opened(models: readonly EngineModelInfo[]): void {
    this.#models = models
    this.#gate.opened()
    if (this.#wasReady) this.#onTurn({ kind: 'back', restarts: this.#restarts, models })
    this.#wasReady = true
  }

  #deliver(step: RequestEvent): void {
    const queue = this.#requests.get(step.id)
    if ('event' in step) queue?.push(step.event)
    else queue?.fail(fromWire(step.error))
  }

  #settle(call: number): PendingCall | undefined {
    const pending = this.#calls.get(call)
    this.#calls.delete(call)
    return pending
  }

  #ended({ reason, signal, exitCode }: ProcessEnd): void {
    const restartMs = this.#gate.ended(reason)
    const { retryAfterSeconds } = this.#gate
    const error = new IncipitError('engine_failed', reason, { retryAfterSeconds })
    const embeddings = [...this.#calls.values()].filter(({ ask }) => ask === 'embed').length
    const requestsInFlight = this.#requests.size + embeddings
    for (const queue of this.#requests.values()) queue.fail(error)
    for (const call of this.#calls.values()) call.reject(error)
    this.#calls.clear()
    if (this.#gate.closed || this.#givesUp) return
    this.#restarts += 1
    this.#restart = setTimeout(() => void this.#spawn(), restartMs)
    if (this.#wasReady) this.#onTurn({ kind: 'ended', reason, signal, exitCode, requestsInFlight, restartMs })
  }

  #lastWords(): string {
    const line = this.#errorText.trim().split('\n').at(-1) ?? ''
    return line === '' ? '' : `: ${line.slice(0, 300)}`
  }
}

/** A promise that can only be rejected. */
function withReject(): { readonly promise: Promise<never>; readonly reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<never>((_, rejected) => (reject = rejected))
  return { promise, reject }
}
