import type { GgufHeader, GgufMetadata } from '../gguf/read.ts'
import type { LlamaFunctions, Pointer } from './bindings.ts'
import type { ModelFacts } from './contract.ts'

/** KV state is kept in halves. */
export const bytesPerHalf = 2
/** By `enum llama_pooling_type`; what is none of them is the mean. */
const poolings: readonly (ModelFacts['pooling'] | undefined)[] = [undefined, 'mean', 'first', 'last', 'rank']

/** What the engine needs to know of a loaded model: partly asked of the library, partly read from the file. */
export function modelFacts(options: {
  readonly llama: LlamaFunctions
  readonly model: Pointer
  readonly vocabulary: Pointer
  readonly header: GgufHeader
  readonly fileHash: string
}): ModelFacts {
  const { llama, model, vocabulary, header, fileHash } = options
  const text = (key: string): string | undefined => {
    const value = header.metadata.get(key)
    return typeof value === 'string' ? value : undefined
  }
  const architecture = text('general.architecture') ?? 'unknown'
  return {
    architecture,
    name: text('general.name') ?? architecture,
    vocabularySize: llama.llama_vocab_n_tokens(vocabulary),
    trainedContextTokens: llama.llama_model_n_ctx_train(model),
    parameters: Number(llama.llama_model_n_params(model)),
    layers: llama.llama_model_n_layer(model),
    width: llama.llama_model_n_embd(model),
    heads: llama.llama_model_n_head(model),
    kvBytesPerToken: kvBytesPerToken(architecture, header, {
      layers: llama.llama_model_n_layer(model),
      width: llama.llama_model_n_embd(model),
      heads: llama.llama_model_n_head(model),
      kvHeads: llama.llama_model_n_head_kv(model),
    }),
    fileBytes: header.fileBytes,
    fileHash,
    slidingWindow: llama.llama_model_n_swa(model),
    recurrent: llama.llama_model_is_recurrent(model),
    hybrid: llama.llama_model_is_hybrid(model),
    bosToken: llama.llama_vocab_bos(vocabulary),
    eosToken: llama.llama_vocab_eos(vocabulary),
    addsBos: llama.llama_vocab_get_add_bos(vocabulary),
    addsEos: header.metadata.get('tokenizer.ggml.add_eos_token') === true,
    pooling: poolings[Number(header.metadata.get(`${architecture}.pooling_type`))] ?? 'mean',
    chatTemplate: text('tokenizer.chat_template'),
    synthetic: header.metadata.get('general.incipit.synthetic') === true,
  }
}

/** Keys and values of one token in all layers. */
export function kvBytesPerToken(
  architecture: string,
  header: GgufHeader,
  shape: { readonly layers: number; readonly width: number; readonly heads: number; readonly kvHeads: number },
): number {
  const headWidth = Math.trunc(shape.width / Math.max(1, shape.heads))
  const length = (key: string): number => numberOr(header.metadata.get(`${architecture}.attention.${key}`), headWidth)
  const perHead = length('key_length') + length('value_length')
  // Hybrid models list the heads layer by layer, with 0 for layers without attention.
  const heads = header.metadata.get(`${architecture}.attention.head_count_kv`)
  // Others say that every so many layers one is attention.
  const interval = numberOr(header.metadata.get(`${architecture}.full_attention_interval`), 1)
  const allHeads = isNumbers(heads)
    ? heads.reduce((sum, count) => sum + count, 0)
    : Math.floor(shape.layers / Math.max(1, interval)) * numberOr(heads, shape.kvHeads)
  return allHeads * perHead * bytesPerHalf
}

function numberOr(value: GgufMetadata | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function isNumbers(value: GgufMetadata | undefined): value is readonly number[] {
  return Array.isArray(value)
}
