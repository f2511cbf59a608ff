import koffi from 'koffi'
import type { LibraryHandle, TypeObject } from 'koffi'
import { batchLayout, contextParamsLayout, modelParamsLayout } from './layout.ts'
import type { FieldValue, StructLayout } from './layout.ts'
import type { LibraryFiles } from './platform.ts'

/** An address in native memory. */
export type Pointer = bigint

type Address = Pointer | Uint8Array | Int32Array | null
type Struct = Record<string, FieldValue | Pointer>

/** The part of llama.h that the engine uses. Counts of bytes come back as `number | bigint`. */
export interface LlamaFunctions {
  /** Of all compute backends in the directory, loads the best one that this CPU runs. */
  ggml_backend_load_all_from_path(directory: string): void
  llama_backend_init(): void
  llama_log_set(callback: Pointer | null, data: null): void
  llama_version(): string
  llama_max_parallel_sequences(): number | bigint
  llama_model_default_params(): Struct
  llama_context_default_params(): Struct
  llama_model_load_from_file(path: string, params: Struct): Pointer | null
  llama_model_free(model: Pointer): void
  llama_model_get_vocab(model: Pointer): Pointer
  llama_model_n_ctx_train(model: Pointer): number
  llama_model_n_embd(model: Pointer): number
  llama_model_n_layer(model: Pointer): number
  llama_model_n_head(model: Pointer): number
  llama_model_n_head_kv(model: Pointer): number
  llama_model_n_params(model: Pointer): number | bigint
  llama_model_n_swa(model: Pointer): number
  llama_model_is_recurrent(model: Pointer): boolean
  llama_model_is_hybrid(model: Pointer): boolean
  llama_model_has_encoder(model: Pointer): boolean
  llama_vocab_n_tokens(vocab: Pointer): number
  llama_vocab_bos(vocab: Pointer): number
  llama_vocab_eos(vocab: Pointer): number
  llama_vocab_get_add_bos(vocab: Pointer): boolean
  llama_vocab_is_eog(vocab: Pointer, token: number): boolean
  llama_vocab_is_control(vocab: Pointer, token: number): boolean
  llama_vocab_get_text(vocab: Pointer, token: number): string
  llama_tokenize(
    ...args: [
      vocab: Pointer,
      text: Uint8Array,
      bytes: number,
      tokens: Int32Array,
      capacity: number,
      addSpecial: boolean,
      parseSpecial: boolean,
    ]
  ): number
  llama_token_to_piece(
    ...args: [vocab: Pointer, token: number, target: Uint8Array, bytes: number, strip: number, special: boolean]
  ): number
  llama_init_from_model(model: Pointer, params: Struct): Pointer | null
  llama_free(context: Pointer): void
  llama_get_memory(context: Pointer): Pointer
  llama_n_ctx(context: Pointer): number
  llama_set_n_threads(context: Pointer, decode: number, batch: number): void
  llama_decode: AsyncCall<[context: Pointer, batch: Struct], number>
  llama_get_logits_ith(context: Pointer, index: number): Pointer | null
  llama_get_embeddings_ith(context: Pointer, index: number): Pointer | null
  llama_memory_seq_rm(memory: Pointer, sequence: number, start: number, end: number): boolean
  llama_memory_seq_cp(...args: [memory: Pointer, from: number, to: number, start: number, end: number]): void
  llama_memory_seq_pos_min(memory: Pointer, sequence: number): number
  llama_memory_seq_pos_max(memory: Pointer, sequence: number): number
  llama_state_seq_get_size(context: Pointer, sequence: number): number | bigint
  llama_state_seq_get_size_ext(context: Pointer, sequence: number, flags: number): number | bigint
  llama_state_seq_get_data(context: Pointer, target: Uint8Array, bytes: number, sequence: number): number | bigint
  llama_state_seq_set_data(context: Pointer, source: Uint8Array, bytes: number, sequence: number): number | bigint
  llama_sampler_init_grammar(vocab: Pointer, grammar: string, root: string): Pointer | null
  /** `candidates`: the memory of a `llama_token_data_array`. */
  llama_sampler_apply(sampler: Pointer, candidates: Pointer): void
  llama_sampler_accept(sampler: Pointer, token: number): void
  llama_sampler_free(sampler: Pointer): void
}

/** Runs on a thread of its own; the callback comes back on the event loop. */
interface AsyncCall<Args extends unknown[], Result> {
  async(...args: [...Args, done: (error: unknown, result: Result) => void]): void
}

/** Layouts to bind with; other ones only to prove that the start-up check notices. */
export interface Layouts {
  readonly modelParams: StructLayout
  readonly contextParams: StructLayout
}

const pinnedLayouts: Layouts = { modelParams: modelParamsLayout, contextParams: contextParamsLayout }

/**
 * Opens the libraries and binds every function. Throws where a library or a symbol is missing.
 *
 * @example const llama = bindLlama(files); llama.llama_version() // '0.5.0-dev'
 */
export function bindLlama(files: LibraryFiles, layouts: Layouts = pinnedLayouts): LlamaFunctions {
  reserveStacks()
  koffi.load(files.ggmlBase, { global: true })
  const ggml = koffi.load(files.ggml, { global: true })
  const llama = koffi.load(files.llama, { global: true })
  return bindFunctions({ ggml, llama }, layouts)
}

function bindFunctions(
  libraries: { readonly ggml: LibraryHandle; readonly llama: LibraryHandle },
  layouts: Layouts,
): LlamaFunctions {
  const structs: Readonly<Record<string, TypeObject>> = {
    modelParams: declare(layouts.modelParams),
    contextParams: declare(layouts.contextParams),
    batch: declare(batchLayout),
  }
  const type = (name: string): TypeObject | string => structs[name] ?? (name === 'ptr' ? 'void *' : name)
  const bound: Record<string, unknown> = {}
  for (const [name, [result, ...args]] of Object.entries(signatures)) {
    const library = name.startsWith('ggml_') ? libraries.ggml : libraries.llama
    bound[name] = library.func(name, type(result), args.map(type))
  }
  // Sound because `signatures` has a line for every member of the interface, which its type demands.
  return bound as unknown as LlamaFunctions
}

const signatures: Readonly<Record<keyof LlamaFunctions, readonly [result: string, ...args: string[]]>> = {
  ggml_backend_load_all_from_path: ['void', 'str'],
  llama_backend_init: ['void'],
  llama_log_set: ['void', 'ptr', 'ptr'],
  llama_version: ['str'],
  llama_max_parallel_sequences: ['size_t'],
  llama_model_default_params: ['modelParams'],
  llama_context_default_params: ['contextParams'],
  llama_model_load_from_file: ['ptr', 'str', 'modelParams'],
  llama_model_free: ['void', 'ptr'],
  llama_model_get_vocab: ['ptr', 'ptr'],
  llama_model_n_ctx_train: ['int32', 'ptr'],
  llama_model_n_embd: ['int32', 'ptr'],
  llama_model_n_layer: ['int32', 'ptr'],
  llama_model_n_head: ['int32', 'ptr'],
  llama_model_n_head_kv: ['int32', 'ptr'],
  llama_model_n_params: ['uint64', 'ptr'],
  llama_model_n_swa: ['int32', 'ptr'],
  llama_model_is_recurrent: ['bool', 'ptr'],
  llama_model_is_hybrid: ['bool', 'ptr'],
  llama_model_has_encoder: ['bool', 'ptr'],
  llama_vocab_n_tokens: ['int32', 'ptr'],
  llama_vocab_bos: ['int32', 'ptr'],
  llama_vocab_eos: ['int32', 'ptr'],
  llama_vocab_get_add_bos: ['bool', 'ptr'],
  llama_vocab_is_eog: ['bool', 'ptr', 'int32'],
  llama_vocab_is_control: ['bool', 'ptr', 'int32'],
  llama_vocab_get_text: ['str', 'ptr', 'int32'],
  llama_tokenize: ['int32', 'ptr', 'ptr', 'int32', 'ptr', 'int32', 'bool', 'bool'],
  llama_token_to_piece: ['int32', 'ptr', 'int32', 'ptr', 'int32', 'int32', 'bool'],
  llama_init_from_model: ['ptr', 'ptr', 'contextParams'],
  llama_free: ['void', 'ptr'],
  llama_get_memory: ['ptr', 'ptr'],
  llama_n_ctx: ['uint32', 'ptr'],
  llama_set_n_threads: ['void', 'ptr', 'int32', 'int32'],
  llama_decode: ['int32', 'ptr', 'batch'],
  llama_get_logits_ith: ['ptr', 'ptr', 'int32'],
  llama_get_embeddings_ith: ['ptr', 'ptr', 'int32'],
  llama_memory_seq_rm: ['bool', 'ptr', 'int32', 'int32', 'int32'],
  llama_memory_seq_cp: ['void', 'ptr', 'int32', 'int32', 'int32', 'int32'],
  llama_memory_seq_pos_min: ['int32', 'ptr', 'int32'],
  llama_memory_seq_pos_max: ['int32', 'ptr', 'int32'],
  llama_state_seq_get_size: ['size_t', 'ptr', 'int32'],
  llama_state_seq_get_size_ext: ['size_t', 'ptr', 'int32', 'uint32'],
  llama_state_seq_get_data: ['size_t', 'ptr', 'ptr', 'size_t', 'int32'],
  llama_state_seq_set_data: ['size_t', 'ptr', 'ptr', 'size_t', 'int32'],
  llama_sampler_init_grammar: ['ptr', 'ptr', 'str', 'str'],
  llama_sampler_apply: ['void', 'ptr', 'ptr'],
  llama_sampler_accept: ['void', 'ptr', 'int32'],
  llama_sampler_free: ['void', 'ptr'],
}

function declare(layout: StructLayout): TypeObject {
  return koffi.struct(Object.fromEntries(Object.entries(layout).map(([field, [type]]) => [field, type])))
}

/** Address of the bytes of a typed array. They do not move, but must be kept referenced as long as native code uses them. */
export function addressOf(array: Exclude<Address, Pointer | null> | BigUint64Array | Int8Array): Pointer {
  return koffi.address(array)
}

/** Native memory as an `ArrayBuffer`, without a copy. It must not be touched after the memory is freed. */
export function viewOf(address: Pointer, bytes: number): ArrayBuffer {
  return koffi.view(address, bytes)
}

/**
 * Native functions run on stacks that koffi allocates. Its 128 KiB for calls on another thread are
 * little for a library that builds graphs there and matches text recursively; untouched pages cost
 * nothing. To be set before the first call; a second binding finds it set.
 */
function reserveStacks(): void {
  const stack = 8 * 1024 * 1024
  if (koffi.config().async_stack_size === stack) return
  koffi.config({ sync_stack_size: stack, async_stack_size: stack, resident_async_pools: 2 })
}
