import { viewOf } from './bindings.ts'
import type { LlamaFunctions, Pointer } from './bindings.ts'
import type { Batch, Context, ContextOptions, DecodeOutcome } from './contract.ts'
import type { NativeLog } from './log.ts'
import { NativeBatch } from './native-batch.ts'
import { maxSequences } from './sequence-count.ts'
import { ThreadGovernor } from './thread-governor.ts'

/** `LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY`: of a hybrid model, what is no attention. */
const withoutAttention = 1
/** What a state begins with: a mark and its sequence. */
const stateHeadBytes = 8

interface ContextInputs {
  readonly llama: LlamaFunctions
  readonly log: NativeLog
  readonly version: string
  readonly model: Pointer
  readonly vocabularySize: number
  /** Numbers of a token's vector. */
  readonly width: number
  readonly hybrid: boolean
  readonly options: ContextOptions
  readonly onClose: () => void
}

/** A KV buffer and what runs on it. Every method throws while a decode is under way, and after `close`. */
export class LlamaContext implements Context {
  readonly cells: number
  readonly stateFormat: string
  readonly #inputs: ContextInputs
  readonly #memory: Pointer
  readonly #batch: NativeBatch
  readonly #rows = new Map<Pointer, Float32Array>()
  readonly #governor: ThreadGovernor
  #context: Pointer | undefined
  #decoding = false

  constructor(inputs: ContextInputs) {
    const { llama, log, options } = inputs
    checkOptions(options)
    log.take()
    const context = llama.llama_init_from_model(inputs.model, {
      ...llama.llama_context_default_params(),
      n_ctx: options.cells,
      n_batch: options.batchTokens,
      n_ubatch: options.batchTokens,
      n_seq_max: options.sequences,
      // Of fewer than sequences it makes an assertion, which ends the process.
      n_outputs_max: Math.max(options.batchTokens, options.sequences),
      n_outputs_max_per_seq: 0,
      n_threads: options.threads.decode,
      n_threads_batch: options.threads.prefill,
      flash_attn_type: options.flashAttention ? 1 : 0,
      embeddings: options.embeddings === true,
      // Tokens are pooled here: llama.cpp would pool each batch by itself.
      pooling_type: options.embeddings === true ? 0 : -1,
      offload_kqv: false,
      op_offload: false,
      no_perf: true,
      swa_full: true,
      kv_unified: true,
    })
    if (context === null) {
      throw new Error(log.explain(`cannot create a context of ${options.cells} cells`))
    }
    this.#inputs = inputs
    this.#governor = new ThreadGovernor(Math.max(options.threads.decode, options.threads.prefill))
    this.#context = context
    this.#memory = llama.llama_get_memory(context)
    this.#batch = new NativeBatch(options.batchTokens)
    this.cells = llama.llama_n_ctx(context)
    this.stateFormat = `llama.cpp ${inputs.version} kv=f16/f16 flash=${options.flashAttention ? 'on' : 'off'} unified swa=full`
  }

  get batch(): Batch {
    return this.#batch
  }

  async decode(count: number): Promise<DecodeOutcome> {
    const { llama, log } = this.#inputs
    const context = this.#idle()
    if (!Number.isInteger(count) || count < 1 || count > this.#batch.capacity) {
      throw new RangeError(`batch has ${count} tokens, 1 to ${this.#batch.capacity} allowed`)
    }
    // Ids that llama.cpp knows, but that were not asked for, would escape every later check.
    for (let index = 0; index < count; index++) this.#checkSequence(this.#batch.sequences[index] as number)
    this.#batch.struct.n_tokens = count
    this.#decoding = true
    log.take()
    const settle = this.#governThreads(context, count)
    const code = await new Promise<number>((resolve, reject) => {
      llama.llama_decode.async(context, this.#batch.struct, (error, result) => {
        this.#decoding = false
        if (error === null || error === undefined) resolve(result)
        else reject(error)
      })
    })
    settle()
    if (code === 0) return { kind: 'done' }
    if (code === 1) return { kind: 'full' }
    if (code === 2) return { kind: 'aborted' }
    throw new Error(log.explain(`decode of ${count} tokens failed with code ${code}`))
  }

  logits(index: number): Float32Array {
    const { llama, log, vocabularySize } = this.#inputs
    const address = llama.llama_get_logits_ith(this.#idle(), index)
    if (address === null) throw new Error(log.explain(`batch entry ${index} has no logits`))
    return this.#row(address, vocabularySize)
  }

  embedding(index: number): Float32Array {
    const { llama, log, width } = this.#inputs
    const address = llama.llama_get_embeddings_ith(this.#idle(), index)
    if (address === null) throw new Error(log.explain(`batch entry ${index} has no embedding`))
    return this.#row(address, width)
  }

  copySequence(from: number, to: number, start: number, end: number): void {
    this.#idle()
    this.#checkSequence(from)
    this.#checkSequence(to)
    this.#inputs.llama.llama_memory_seq_cp(this.#memory, from, to, start, end)
  }

  removeSequence(sequence: number, start: number, end: number): boolean {
    this.#idle()
    this.#checkSequence(sequence)
    return this.#inputs.llama.llama_memory_seq_rm(this.#memory, sequence, start, end)
  }

  sequenceRange(sequence: number): { readonly first: number; readonly last: number } {
    this.#idle()
    this.#checkSequence(sequence)
    const { llama } = this.#inputs
    return {
      first: llama.llama_memory_seq_pos_min(this.#memory, sequence),
      last: llama.llama_memory_seq_pos_max(this.#memory, sequence),
    }
  }

  stateBytes(sequence: number): number {
    const context = this.#idle()
    this.#checkSequence(sequence)
    return Number(this.#inputs.llama.llama_state_seq_get_size(context, sequence))
  }

  recurrentBytes(sequence: number): number {
    const context = this.#idle()
    this.#checkSequence(sequence)
    const { llama, hybrid } = this.#inputs
    if (!hybrid) return 0
    return Number(llama.llama_state_seq_get_size_ext(context, sequence, withoutAttention)) - stateHeadBytes
  }

  readState(sequence: number, target: Uint8Array): number {
    const { llama, log } = this.#inputs
    const context = this.#idle()
    const bytes = this.stateBytes(sequence)
    if (target.length < bytes) throw new RangeError(`state has ${bytes} bytes, the target ${target.length}`)
    const written = Number(llama.llama_state_seq_get_data(context, target, target.length, sequence))
    if (written !== bytes) throw new Error(log.explain(`state of ${bytes} bytes was written as ${written}`))
    return written
  }

  writeState(sequence: number, source: Uint8Array): boolean {
    const context = this.#idle()
    this.#checkSequence(sequence)
    if (source.length === 0) return false
    const read = Number(this.#inputs.llama.llama_state_seq_set_data(context, source, source.length, sequence))
    this.#inputs.log.take()
    return read === source.length
  }

  /** Frees the context; views of logits must not be used afterwards. Closing twice does nothing. */
  close(): void {
    if (this.#context === undefined) return
    this.#inputs.llama.llama_free(this.#idle())
    this.#context = undefined
    this.#rows.clear()
    this.#inputs.onClose()
  }

  /** Of a context only the rows of one kind are read. */
  #row(address: Pointer, length: number): Float32Array {
    let view = this.#rows.get(address)
    if (view === undefined) {
      // The rows of one output buffer; more addresses than rows mean that it moved.
      if (this.#rows.size >= 2 * this.#batch.capacity) this.#rows.clear()
      view = new Float32Array(viewOf(address, 4 * length))
      this.#rows.set(address, view)
    }
    return view
  }

  /** Chooses the threads of the batch that is about to begin; call the answer when it has ended. */
  #governThreads(context: Pointer, count: number): () => void {
    const { llama, options } = this.#inputs
    if (options.yieldsCores !== true) return () => undefined
    const startedAt = performance.now()
    const cpuBefore = process.cpuUsage()
    const most = this.#governor.threads(startedAt)
    const [decode, prefill] = [Math.min(most, options.threads.decode), Math.min(most, options.threads.prefill)]
    llama.llama_set_n_threads(context, decode, prefill)
    return () => {
      const { user, system } = process.cpuUsage(cpuBefore)
      const now = performance.now()
      const cost = {
        elapsedMs: now - startedAt,
        cpuMs: (user + system) / 1_000,
        threads: count === 1 ? decode : prefill,
      }
      this.#governor.note(cost, now)
    }
  }

  #idle(): Pointer {
    if (this.#context === undefined) throw new Error('the context is closed')
    if (this.#decoding) throw new Error('the context is decoding: wait for the decode to end')
    return this.#context
  }

  /** An id out of range would end the process inside llama.cpp. */
  #checkSequence(sequence: number): void {
    const { sequences } = this.#inputs.options
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= sequences) {
      throw new RangeError(`sequence id is ${sequence}, 0 to ${sequences - 1} allowed`)
    }
  }
}

function checkOptions(options: ContextOptions): void {
  const ranges: readonly (readonly [name: string, value: number, limit: number])[] = [
    ['cells', options.cells, 2 ** 31 - 1],
    ['batchTokens', options.batchTokens, 65_536],
    ['sequences', options.sequences, maxSequences],
    ['threads.decode', options.threads.decode, 512],
    ['threads.prefill', options.threads.prefill, 512],
  ]
  for (const [name, value, limit] of ranges) {
    if (!Number.isInteger(value) || value < 1 || value > limit) {
      throw new RangeError(`${name} is ${value}, 1 to ${limit} allowed`)
    }
  }
}
