import { randomBytes } from 'node:crypto'
import type { FinishReason, GenerationEvent, TokenLogprob } from '@incipit/core'
import { tokenCount } from '@incipit/core'
import type { Grammar, Model } from '../native/contract.ts'
import { openGrammar } from '../output/answer-plan.ts'
import type { OutputEvent } from '../output/output-scan.ts'
import { ChannelScan } from '../output/channel-scan.ts'
import { OutputScan } from '../output/output-scan.ts'
import { spelledMarks } from '../output/template-marks.ts'
import { Sampler } from '../sample/sampler.ts'
import type { SamplerWorkspace } from '../sample/sampler-workspace.ts'
import { StopScan } from '../sample/stop-scan.ts'
import { tokenLogprob } from '../sample/token-logprob.ts'
import { Utf8Stream } from '../sample/utf8-stream.ts'
import type { ScheduledRequest } from './request.ts'

type Emit = (event: GenerationEvent) => void

/** A token's log-probability, and where its text begins in the answer. */
interface PlacedLogprob {
  readonly logprob: TokenLogprob
  readonly start: number
}

/** The growing answer of one generation: from logits to text, thinking and calls that may leave. */
export class Answer {
  readonly #request: ScheduledRequest
  readonly #model: Model
  readonly #sampler: Sampler
  readonly #characters = new Utf8Stream()
  readonly #stops: StopScan
  readonly #output: OutputScan | ChannelScan
  readonly #maxTokens: number
  /** Marks that are control tokens in this vocabulary. */
  readonly #spelled: ReadonlyMap<number, Uint8Array>
  #grammar: Grammar | undefined
  #logprobs: PlacedLogprob[] = []
  #tokens = 0
  #decodedLength = 0
  #sentLength = 0
  #calls = 0

  /** @throws IncipitError when what the request asks for cannot be kept to */
  constructor(options: {
    readonly request: ScheduledRequest
    readonly model: Model
    readonly workspace: SamplerWorkspace
    readonly maxTokens: number
  }) {
    const { request, model, workspace } = options
    this.#request = request
    this.#model = model
    this.#maxTokens = options.maxTokens
    this.#sampler = new Sampler({ sampling: request.sampling, prompt: request.prompt, workspace })
    this.#stops = new StopScan(request.stop)
    const marks = request.plan?.marks ?? { calls: undefined, thinking: undefined }
    this.#output = marks.channels === true ? new ChannelScan() : new OutputScan(marks)
    this.#spelled = spelledMarks(marks, model)
    const grammar = request.plan?.grammar
    if (grammar !== undefined) this.#grammar = openGrammar(model, grammar)
  }

  /** Tokens sampled so far, the one that ended the answer included. */
  get tokens(): number {
    return this.#tokens
  }

  /**
   * Samples the next token and emits what it makes visible.
   * @returns the token, or `undefined` when the answer is finished
   * @throws Error when a logit is no number
   */
  next(logits: Float32Array, emit: Emit): number | undefined {
    const token = this.#sampler.sample(logits, this.#grammar)
    this.#tokens++
    if (this.#model.endsGeneration(token)) return this.finish('stop', emit)
    this.#grammar?.accept(token)
    this.#noteLogprob(logits, token)
    const piece = this.#characters.push(this.#spelled.get(token) ?? this.#model.tokenBytes(token))
    this.#decodedLength += piece.length
    const stopped = this.#take(piece, emit)
    if (stopped) {
      this.#emitFinish('stop', emit)
      return undefined
    }
    if (this.#tokens >= this.#maxTokens) return this.finish('length', emit)
    return token
  }

  /** Lets go of what was held back, and ends the answer. */
  finish(reason: FinishReason, emit: Emit): undefined {
    const stopped = this.#take(this.#characters.end(), emit)
    const rest = this.#output.calling ? { text: '', stopped: false } : this.#stops.end()
    this.#send([...this.#output.push(rest.text), ...this.#output.end()], emit)
    this.#emitFinish(stopped || rest.stopped ? 'stop' : reason, emit)
  }

  /** Frees what lies outside of JavaScript; an answer that has ended is closed. */
  close(): void {
    this.#grammar?.close()
    this.#grammar = undefined
  }

  /** Takes the next piece of the answer; true when a stop string ended it. */
  #take(piece: string, emit: Emit): boolean {
    // Arguments of calls are no text: a stop string may stand in them.
    if (this.#output.calling) {
      this.#send(this.#output.push(piece), emit)
      return false
    }
    const { text, stopped } = this.#stops.push(piece)
    const events = text === '' ? [] : this.#output.push(text)
    if (stopped) events.push(...this.#output.end())
    this.#send(events, emit)
    if (this.#output.calling && this.#grammar === undefined) this.#keepToCalls()
    return stopped
  }

  /** The trigger of calls has been generated: from here on the answer is calls. */
  #keepToCalls(): void {
    const { plan } = this.#request
    const { written } = this.#output
    if (plan === undefined || written === undefined) return
    this.#grammar = openGrammar(this.#model, plan.callsBehind(written))
  }

  #emitFinish(reason: FinishReason, emit: Emit): void {
    const why = reason === 'stop' && this.#calls > 0 ? 'tool_calls' : reason
    emit({ kind: 'finish', reason: why, outputTokens: tokenCount(this.#tokens) })
    this.close()
  }

  #noteLogprob(logits: Float32Array, token: number): void {
    const count = this.#request.topLogprobs
    if (count === undefined) return
    const logprob = tokenLogprob({ logits, token, count }, this.#model)
    this.#logprobs.push({ logprob, start: this.#decodedLength })
  }

  #send(events: readonly OutputEvent[], emit: Emit): void {
    const outputTokens = tokenCount(this.#tokens)
    for (const event of events) {
      switch (event.kind) {
        case 'text':
          this.#sendText(event.text, emit)
          break
        case 'thinking':
          emit({ kind: 'thinking-delta', text: event.text, outputTokens })
          break
        case 'tool-start':
          this.#calls++
          emit({ ...event, id: `call_${randomBytes(12).toString('hex')}`, outputTokens })
          break
        case 'tool-delta':
        default:
          emit({ ...event, outputTokens })
      }
    }
  }

  #sendText(text: string, emit: Emit): void {
    this.#sentLength += text.length
    const outputTokens = tokenCount(this.#tokens)
    if (this.#request.topLogprobs === undefined) {
      emit({ kind: 'text-delta', text, outputTokens })
      return
    }
    // A token goes with the text it begins in; one that begins behind a stop string never leaves.
    const logprobs = this.#logprobs.filter(({ start }) => start < this.#sentLength).map(({ logprob }) => logprob)
    this.#logprobs = this.#logprobs.filter(({ start }) => start >= this.#sentLength)
    emit({ kind: 'text-delta', text, outputTokens, logprobs })
  }
}
