import type { FinishReason, GenerationEvent, TokenLogprob } from '@incipit/core'
import { tokenCount } from '@incipit/core'
import type { Model } from '../native/contract.ts'
import { Sampler } from '../sample/sampler.ts'
import type { SamplerWorkspace } from '../sample/sampler-workspace.ts'
import { StopScan } from '../sample/stop-scan.ts'
import { tokenLogprob } from '../sample/token-logprob.ts'
import { Utf8Stream } from '../sample/utf8-stream.ts'
import type { ScheduledRequest } from './request.ts'

/** A token's log-probability, and where its text begins in the answer. */
interface PlacedLogprob {
  readonly logprob: TokenLogprob
  readonly start: number
}

/** The growing answer of one generation: from logits to text that may leave. */
export class Answer {
  readonly #request: ScheduledRequest
  readonly #model: Model
  readonly #sampler: Sampler
  readonly #characters = new Utf8Stream()
  readonly #stops: StopScan
  readonly #maxTokens: number
  #logprobs: PlacedLogprob[] = []
  #tokens = 0
  #decodedLength = 0
  #sentLength = 0

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
  next(logits: Float32Array, emit: (event: GenerationEvent) => void): number | undefined {
    const token = this.#sampler.sample(logits)
    this.#tokens++
    if (this.#model.endsGeneration(token)) return this.finish('stop', emit)
    this.#noteLogprob(logits, token)
    const piece = this.#characters.push(this.#model.tokenBytes(token))
    this.#decodedLength += piece.length
    const { text, stopped } = this.#stops.push(piece)
    if (stopped) {
      this.#send(text, emit)
      this.#emitFinish('stop', emit)
      return undefined
    }
    if (this.#tokens >= this.#maxTokens) {
      this.#send(text, emit)
      return this.finish('length', emit)
    }
    if (text !== '') this.#send(text, emit)
    return token
  }

  /** Lets go of what was held back, and ends the answer. */
  finish(reason: FinishReason, emit: (event: GenerationEvent) => void): undefined {
    const { text } = this.#stops.push(this.#characters.end())
    const rest = this.#stops.end()
    this.#send(text + rest.text, emit)
    this.#emitFinish(rest.stopped ? 'stop' : reason, emit)
  }

  #emitFinish(reason: FinishReason, emit: (event: GenerationEvent) => void): void {
    emit({ kind: 'finish', reason, outputTokens: tokenCount(this.#tokens) })
  }

  #noteLogprob(logits: Float32Array, token: number): void {
    const count = this.#request.topLogprobs
    if (count === undefined) return
    const logprob = tokenLogprob({ logits, token, count }, this.#model)
    this.#logprobs.push({ logprob, start: this.#decodedLength })
  }

  #send(text: string, emit: (event: GenerationEvent) => void): void {
    this.#sentLength += text.length
    const outputTokens = tokenCount(this.#tokens)
    if (this.#request.topLogprobs === undefined) {
      if (text !== '') emit({ kind: 'text-delta', text, outputTokens })
      return
    }
    // A token goes with the text it begins in; one that begins behind a stop string never leaves.
    const logprobs = this.#logprobs.filter(({ start }) => start < this.#sentLength).map(({ logprob }) => logprob)
    this.#logprobs = this.#logprobs.filter(({ start }) => start >= this.#sentLength)
    if (text !== '') emit({ kind: 'text-delta', text, outputTokens, logprobs })
  }
}
