import { addressOf } from './bindings.ts'
import type { LlamaFunctions, Pointer } from './bindings.ts'
import type { Grammar } from './contract.ts'

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

  /** Address of the array with the first `count` candidates in it. */
  fill(count: number, token: (index: number) => number, logit: (index: number) => number): Pointer {
    for (let index = 0; index < count; index++) {
      this.#ids[words * index] = token(index)
      this.#logits[words * index + 1] = logit(index)
    }
    this.#array[1] = BigInt(count)
    this.#array[2] = 2n ** 64n - 1n
    this.#array[3] = 0n
    return addressOf(this.#array)
  }

  logit(index: number): number {
    return this.#logits[words * index + 1] as number
  }
}

/** A grammar of llama.cpp and how far an answer has come in it. */
export class LlamaGrammar implements Grammar {
  readonly #llama: LlamaFunctions
  readonly #memory: CandidateMemory
  #sampler: Pointer | undefined

  constructor(llama: LlamaFunctions, sampler: Pointer, memory: CandidateMemory) {
    this.#llama = llama
    this.#sampler = sampler
    this.#memory = memory
  }

  allows(token: number): boolean {
    const candidates = this.#memory.fill(
      1,
      () => token,
      () => 0,
    )
    this.#llama.llama_sampler_apply(this.#open(), candidates)
    return this.#memory.logit(0) !== -Infinity
  }

  mask(logits: Float32Array): Float32Array {
    const { masked } = this.#memory
    const candidates = this.#memory.fill(
      logits.length,
      (index) => index,
      (index) => logits[index] as number,
    )
    this.#llama.llama_sampler_apply(this.#open(), candidates)
    for (let index = 0; index < logits.length; index++) masked[index] = this.#memory.logit(index)
    return masked
  }

  accept(token: number): void {
    // A token that is not allowed would end the process inside llama.cpp.
    if (!this.allows(token)) throw new Error(`token ${token} is not allowed by the grammar`)
    this.#llama.llama_sampler_accept(this.#open(), token)
  }

  close(): void {
    if (this.#sampler !== undefined) this.#llama.llama_sampler_free(this.#sampler)
    this.#sampler = undefined
  }

  #open(): Pointer {
    if (this.#sampler === undefined) throw new Error('the grammar is closed')
    return this.#sampler
  }
}
