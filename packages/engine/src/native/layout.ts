/**
 * The structs of llama.h that cross the boundary, each field once, in order, with the value the
 * library's own default carries. `null` pointers and odd numbers make a shifted field visible.
 */
export type FieldType = 'void *' | 'bool' | 'int8' | 'int32' | 'uint32' | 'float' | 'size_t'
export type FieldValue = null | boolean | number
export type StructLayout = Readonly<Record<string, readonly [type: FieldType, byDefault: FieldValue]>>

/** The llama.cpp release these layouts belong to. */
export const pinnedLibraryVersion = '0.5.0-dev'

/** `struct llama_model_params` */
export const modelParamsLayout: StructLayout = {
  devices: ['void *', null],
  tensor_buft_overrides: ['void *', null],
  n_gpu_layers: ['int32', -1],
  split_mode: ['int32', 1],
  load_mode: ['int32', -1],
  lazy_mode: ['int32', 1],
  main_gpu: ['int32', 0],
  tensor_split: ['void *', null],
  progress_callback: ['void *', null],
  progress_callback_user_data: ['void *', null],
  kv_overrides: ['void *', null],
  vocab_only: ['bool', false],
  check_tensors: ['bool', false],
  use_extra_bufts: ['bool', true],
  no_host: ['bool', false],
  no_alloc: ['bool', false],
  load_mtp: ['bool', false],
}

/** `struct llama_context_params` */
export const contextParamsLayout: StructLayout = {
  n_ctx: ['uint32', 512],
  n_batch: ['uint32', 2048],
  n_ubatch: ['uint32', 512],
  n_seq_max: ['uint32', 1],
  n_rs_seq: ['uint32', 0],
  n_outputs_max: ['uint32', 0],
  n_outputs_max_per_seq: ['uint32', 1],
  n_threads: ['int32', 4],
  n_threads_batch: ['int32', 4],
  ctx_type: ['int32', 0],
  rope_scaling_type: ['int32', -1],
  pooling_type: ['int32', -1],
  attention_type: ['int32', -1],
  flash_attn_type: ['int32', -1],
  rope_freq_base: ['float', 0],
  rope_freq_scale: ['float', 0],
  yarn_ext_factor: ['float', -1],
  yarn_attn_factor: ['float', -1],
  yarn_beta_fast: ['float', -1],
  yarn_beta_slow: ['float', -1],
  yarn_orig_ctx: ['uint32', 0],
  defrag_thold: ['float', -1],
  cb_eval: ['void *', null],
  cb_eval_user_data: ['void *', null],
  type_k: ['int32', 1],
  type_v: ['int32', 1],
  abort_callback: ['void *', null],
  abort_callback_data: ['void *', null],
  embeddings: ['bool', false],
  offload_kqv: ['bool', true],
  no_perf: ['bool', true],
  op_offload: ['bool', true],
  swa_full: ['bool', true],
  kv_unified: ['bool', false],
  samplers: ['void *', null],
  n_samplers: ['size_t', 0],
  ctx_other: ['void *', null],
}

/** `struct llama_batch`; it has no default. */
export const batchLayout: StructLayout = {
  n_tokens: ['int32', 0],
  token: ['void *', null],
  embd: ['void *', null],
  pos: ['void *', null],
  n_seq_id: ['void *', null],
  seq_id: ['void *', null],
  logits: ['void *', null],
}
