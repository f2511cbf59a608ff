import { TensorList } from './tensor-list.ts'
import type { GgufValue, TensorSource } from './write.ts'

/** The dimensions of a dense transformer. */
export interface ModelShape {
  readonly name: string
  readonly architecture: 'llama' | 'qwen2' | 'gemma3'
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly kvHeads: number
  readonly headWidth: number
  readonly feedForward: number
  readonly vocabulary: number
  /** Merges trained for the vocabulary; the rest of it is marked unused. */
  readonly merges: number
  readonly weights: 'f32' | 'f16' | 'q4_0' | 'q8_0'
  readonly contextTokens: number
  readonly ropeBase: number
  /** The embedding serves as output matrix too. */
  readonly tiedOutput: boolean
  readonly slidingWindow?: number
  readonly seed: number
}

/** The `general.*` and architecture metadata of a shape. */
export function shapeMetadata(shape: ModelShape): [string, GgufValue][] {
  const u32 = (key: string, value: number): [string, GgufValue] => [
    `${shape.architecture}.${key}`,
    { type: 'u32', value },
  ]
  const f32 = (key: string, value: number): [string, GgufValue] => [
    `${shape.architecture}.${key}`,
    { type: 'f32', value },
  ]
  return [
    ['general.architecture', { type: 'string', value: shape.architecture }],
    ['general.name', { type: 'string', value: shape.name }],
    ['general.file_type', { type: 'u32', value: { f32: 0, f16: 1, q4_0: 2, q8_0: 7 }[shape.weights] }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ['general.incipit.synthetic', { type: 'bool', value: true }],
    u32('block_count', shape.layers),
    u32('context_length', shape.contextTokens),
    u32('embedding_length', shape.width),
    u32('feed_forward_length', shape.feedForward),
    u32('attention.head_count', shape.heads),
    u32('attention.head_count_kv', shape.kvHeads),
    u32('attention.key_length', shape.headWidth),
    u32('attention.value_length', shape.headWidth),
    u32('rope.dimension_count', shape.headWidth),
    u32('vocab_size', shape.vocabulary),
    f32('attention.layer_norm_rms_epsilon', 1e-5),
    f32('rope.freq_base', shape.ropeBase),
    ...(shape.slidingWindow === undefined ? [] : [u32('attention.sliding_window', shape.slidingWindow)]),
  ]
}

/** Every tensor of a shape, filled with random weights of a size that keeps activations near 1. */
export function denseTensors(shape: ModelShape): TensorSource[] {
  const tensors = new TensorList(shape)
  const { width } = shape
  tensors.add('token_embd.weight', [width, shape.vocabulary], { gain: 4 })
  tensors.ones('output_norm.weight', width)
  if (!shape.tiedOutput) tensors.add('output.weight', [width, shape.vocabulary], { gain: 2 })
  for (let layer = 0; layer < shape.layers; layer++) addLayer(shape, `blk.${layer}.`, tensors)
  return tensors.all
}

function addLayer(shape: ModelShape, prefix: string, tensors: TensorList): void {
  const query = shape.heads * shape.headWidth
  const keyValue = shape.kvHeads * shape.headWidth
  tensors.ones(`${prefix}attn_norm.weight`, shape.width)
  tensors.add(`${prefix}attn_q.weight`, [shape.width, query], { gain: 1.4 })
  tensors.add(`${prefix}attn_k.weight`, [shape.width, keyValue], { gain: 1.4 })
  tensors.add(`${prefix}attn_v.weight`, [shape.width, keyValue])
  tensors.add(`${prefix}attn_output.weight`, [query, shape.width], { gain: 2 })
  if (shape.architecture === 'qwen2') {
    tensors.add(`${prefix}attn_q.bias`, [query], { type: 'f32' })
    tensors.add(`${prefix}attn_k.bias`, [keyValue], { type: 'f32' })
    tensors.add(`${prefix}attn_v.bias`, [keyValue], { type: 'f32' })
  }
  if (shape.architecture === 'gemma3') {
    tensors.ones(`${prefix}attn_q_norm.weight`, shape.headWidth)
    tensors.ones(`${prefix}attn_k_norm.weight`, shape.headWidth)
    tensors.ones(`${prefix}post_attention_norm.weight`, shape.width)
    tensors.ones(`${prefix}post_ffw_norm.weight`, shape.width)
  }
  tensors.ones(`${prefix}ffn_norm.weight`, shape.width)
  tensors.add(`${prefix}ffn_gate.weight`, [shape.width, shape.feedForward])
  tensors.add(`${prefix}ffn_up.weight`, [shape.width, shape.feedForward])
  tensors.add(`${prefix}ffn_down.weight`, [shape.feedForward, shape.width])
}
