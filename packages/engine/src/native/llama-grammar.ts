import { IncipitError } from '@incipit/core'
import { addressOf } from './bindings.ts'
import type { LlamaFunctions, Pointer } from './bindings.ts'
import type { Grammar } from './contract.ts'
import type { TokenShapes, Utf8State } from './token-shapes.ts'

/** `llama_token_data` has three words: id, logit and probability. */
const words = 3

/** Memory for the candidates of one model; shared by its grammars, which are asked one after the other. */
export class CandidateMemory {
  readonly masked: Float32Array
  readonly #ids: Int32Array
  readonly #logits: Float32Array
  /** `llama_token_data_array`: data, size, selected, sorted. */
  readonly #array = new BigUint64Array(new ArrayBuffer(32))

  constructor(vocabularySize: number) {
    const data = new ArrayBuffer(4 * words * vocabularySize)
    this.masked = new Float32Array(vocabularySize)
    this.#ids = new Int32Array(data)
    this.#logits = new Float32Array(data)
    this.#array[0] = addressOf(this.#ids)
  }

  /** Makes one token the first candidate. */
  set(token: number): void {
    this.#ids[0] = token
    this.#logits[1] = 0
  }

  /** Makes all tokens candidates. */
  fill(logits: Float32Array): void {
    for (let token = 0; token < logits.length; token++) {
      this.#ids[words * token] = token
      this.#logits[words * token + 1] = logits[token] as number
    }
  }

  readInto(logits: Float32Array): void {
    for (let token = 0; token < logits.length; token++) logits[token] = this.#logits[words * token + 1] as number
  }

  /** Address of the array with the first `count` candidates in it. */
  array(count: number): Pointer {
    this.#array[1] = BigInt(count)
    this.#array[2] = 2n ** 64n - 1n
    this.#array[3] = 0n
    return addressOf(this.#array)
  }

  logit(index: number): number {
    return this.#logits[words * index + 1] as number
  }
}

/**
 * Milliseconds of computing that one token of an answer may take. Where many alternatives of a grammar go on side by side,
 * each token can double them: it is given up before that takes long. Waiting for a busy machine does not count.
 */
const mostMs = 1_000

/** A grammar of llama.cpp and how far an answer has come in it. */
export class LlamaGrammar implements Grammar {
  readonly #llama: LlamaFunctions
  readonly #memory: CandidateMemory
  readonly #shapes: TokenShapes
  #sampler: Pointer | undefined
  #utf8: Utf8State = 0

  constructor(llama: LlamaFunctions, sampler: Pointer, memory: CandidateMemory, shapes: TokenShapes) {
    this.#llama = llama
    this.#sampler = sampler
    this.#memory = memory
    this.#shapes = shapes
  }

  allows(token: number): boolean {
    const shape = this.#shapes.shape(token)
    if (shape === 'empty') return false
    if ((shape === 'part' || this.#utf8 !== 0) && this.#shapes.after(this.#utf8, token) === undefined) return false
    this.#memory.set(token)
    this.#apply(1)
    return this.#memory.logit(0) !== -Infinity
  }

  mask(logits: Float32Array): Float32Array {
    const { masked } = this.#memory
    this.#memory.fill(logits)
    this.#apply(logits.length)
    this.#memory.readInto(masked)
    for (const token of this.#shapes.empty) masked[token] = -Infinity
    for (const token of this.#shapes.parts) {
      if (masked[token] !== -Infinity && this.#shapes.after(this.#utf8, token) === undefined) masked[token] = -Infinity
    }
    return masked
  }

  accept(token: number): void {
    // A token that is not allowed would end the process inside llama.cpp.
    if (!this.allows(token)) throw new Error(`token ${token} is not allowed by the grammar`)
    const before = process.cpuUsage()
    this.#llama.llama_sampler_accept(this.#open(), token)
    this.#utf8 = this.#shapes.after(this.#utf8, token) ?? 0
    const { user, system } = process.cpuUsage(before)
    const tookMs = (user + system) / 1_000
    if (tookMs > mostMs) {
      const what = `a token took ${Math.round(tookMs)} ms, ${mostMs} allowed: too many of its alternatives begin alike`
      throw new IncipitError('unsupported_feature', `the schema cannot be kept to: ${what}`)
    }
  }

  close(): void {
    if (this.#sampler !== undefined) this.#llama.llama_sampler_free(this.#sampler)
    this.#sampler = undefined
  }

  #apply(count: number): void {
    this.#llama.llama_sampler_apply(this.#open(), this.#memory.array(count))
  }

  #open(): Pointer {
    if (this.#sampler === undefined) throw new Error('the grammar is closed')
    return this.#sampler
  }
}
