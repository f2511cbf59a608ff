import type { LlamaFunctions, Pointer } from './bindings.ts'
import type { Context, ContextOptions, Grammar, Model, ModelFacts } from './contract.ts'
import { fileHash } from './file-hash.ts'
import { LlamaContext } from './llama-context.ts'
import { CandidateMemory, LlamaGrammar } from './llama-grammar.ts'
import type { NativeLog } from './log.ts'
import { modelFacts } from './model-facts.ts'
import { readModelHeader } from './model-header.ts'
import { NeighbourIds } from './neighbour-ids.ts'
import { isPurelyRecurrent, mostSequences, sequencesBelow } from './sequence-count.ts'
import { TokenShapes } from './token-shapes.ts'
import { WindowGuard } from './window-guard.ts'

/** The loaded library and its log. */
export interface Library {
  readonly llama: LlamaFunctions
  readonly log: NativeLog
  readonly version: string
}

/** A model in memory, on the CPU. */
export class LlamaModel implements Model {
  readonly facts: ModelFacts
  readonly #library: Library
  readonly #vocabulary: Pointer
  readonly #bytes: (Uint8Array | undefined)[] = []
  readonly #contexts = new Set<LlamaContext>()
  #model: Pointer | undefined
  #tokens: Int32Array = new Int32Array(4_096)
  #controlTokens: ReadonlyMap<string, number> | undefined
  #candidates: CandidateMemory | undefined
  #shapes: TokenShapes | undefined

  /** @throws Error naming the path and the reason, when the file is no model that llama.cpp can load */
  constructor(library: Library, path: string, dataDir: string) {
    const { llama, log } = library
    const header = readModelHeader(path)
    log.take()
    const model = llama.llama_model_load_from_file(path, { ...llama.llama_model_default_params(), n_gpu_layers: 0 })
    if (model === null) throw new Error(log.explain(`cannot load model "${path}"`))
    this.#library = library
    this.#model = model
    this.#vocabulary = llama.llama_model_get_vocab(model)
    try {
      if (llama.llama_model_has_encoder(model))
        throw new Error(`model "${path}" has an encoder, which is not supported`)
      this.facts = modelFacts({
        llama,
        model,
        vocabulary: this.#vocabulary,
        header,
        fileHash: fileHash(path, dataDir),
      })
    } catch (error) {
      llama.llama_model_free(model)
      throw error
    }
  }

  get controlTokens(): ReadonlyMap<string, number> {
    return (this.#controlTokens ??= this.#readControlTokens())
  }

  tokenize(text: string, options: { readonly special: boolean }): Int32Array {
    this.#open()
    if (text === '') return new Int32Array(0)
    const bytes = Buffer.from(text, 'utf8')
    // No tokenizer makes more tokens than bytes, but for a space that some put in front.
    if (this.#tokens.length < bytes.length + 8) this.#tokens = new Int32Array(2 * bytes.length + 8)
    const count = this.#tokenizeInto(bytes, options.special)
    if (count >= 0) return this.#tokens.slice(0, count)
    this.#tokens = new Int32Array(-count)
    return this.#tokens.slice(0, this.#tokenizeInto(bytes, options.special))
  }

  tokenBytes(token: number): Uint8Array {
    const vocabulary = this.#token(token)
    return (this.#bytes[token] ??= this.#readBytes(vocabulary, token))
  }

  tokenText(token: number): string {
    return this.#library.llama.llama_vocab_get_text(this.#token(token), token)
  }

  createGrammar(text: string): Grammar {
    this.#open()
    const { llama, log } = this.#library
    log.take()
    const sampler = llama.llama_sampler_init_grammar(this.#vocabulary, text, 'root')
    if (sampler === null) throw new Error(log.explain('this is no grammar'))
    this.#candidates ??= new CandidateMemory(this.facts.vocabularySize)
    this.#shapes ??= this.#tokenShapes()
    return new LlamaGrammar(llama, sampler, this.#candidates, this.#shapes)
  }

  endsGeneration(token: number): boolean {
    return this.#library.llama.llama_vocab_is_eog(this.#token(token), token)
  }

  createContext(options: ContextOptions): Context {
    const { sequences } = options
    const most = mostSequences(this.facts)
    if (sequences > most) throw new RangeError(`sequences is ${sequences}, 1 to ${most} allowed`)
    const context = new LlamaContext({
      ...this.#library,
      model: this.#open(),
      vocabularySize: this.facts.vocabularySize,
      width: this.facts.width,
      hybrid: this.facts.hybrid,
      options: { ...options, sequences: sequencesBelow(this.facts, sequences) },
      onClose: () => void this.#contexts.delete(context),
    })
    this.#contexts.add(context)
    if (this.facts.slidingWindow > 0) return new WindowGuard(context, sequences)
    return isPurelyRecurrent(this.facts) ? new NeighbourIds(context, sequences) : context
  }

  /** Frees the model and every context of it. Closing twice does nothing. */
  close(): void {
    if (this.#model === undefined) return
    for (const context of this.#contexts) context.close()
    this.#library.llama.llama_model_free(this.#model)
    this.#model = undefined
  }

  #open(): Pointer {
    if (this.#model === undefined) throw new Error('the model is closed')
    return this.#model
  }

  /** An id outside the vocabulary would end the process inside llama.cpp. */
  #token(token: number): Pointer {
    this.#open()
    if (!Number.isInteger(token) || token < 0 || token >= this.facts.vocabularySize) {
      throw new RangeError(`token id is ${token}, 0 to ${this.facts.vocabularySize - 1} allowed`)
    }
    return this.#vocabulary
  }

  #tokenizeInto(bytes: Uint8Array, special: boolean): number {
    const { llama } = this.#library
    return llama.llama_tokenize(
      this.#vocabulary,
      bytes,
      bytes.length,
      this.#tokens,
      this.#tokens.length,
      false,
      special,
    )
  }

  #readControlTokens(): ReadonlyMap<string, number> {
    this.#open()
    const { llama } = this.#library
    const found = new Map<string, number>()
    for (let token = 0; token < this.facts.vocabularySize; token++) {
      if (!llama.llama_vocab_is_control(this.#vocabulary, token)) continue
      found.set(llama.llama_vocab_get_text(this.#vocabulary, token), token)
    }
    return found
  }

  #tokenShapes(): TokenShapes {
    const { vocabularySize } = this.facts
    const target = new Uint8Array(256)
    const bytes = (token: number): Uint8Array => {
      const { llama } = this.#library
      const length = llama.llama_token_to_piece(this.#vocabulary, token, target, target.length, 0, false)
      return length < 0 ? this.tokenBytes(token) : target.subarray(0, length)
    }
    return new TokenShapes(vocabularySize, bytes, (token) => this.endsGeneration(token))
  }

  #readBytes(vocabulary: Pointer, token: number): Uint8Array {
    const { llama } = this.#library
    const target = new Uint8Array(64)
    const length = llama.llama_token_to_piece(vocabulary, token, target, target.length, 0, false)
    if (length >= 0) return target.slice(0, length)
    const longer = new Uint8Array(-length)
    llama.llama_token_to_piece(vocabulary, token, longer, longer.length, 0, false)
    return longer
  }
}
