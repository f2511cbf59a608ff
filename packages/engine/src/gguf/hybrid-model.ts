import { TensorList } from './tensor-list.ts'
import type { GgufValue, TensorSource } from './write.ts'

/** The dimensions of a Jamba model: layers of attention among layers of state spaces. */
export interface HybridShape {
  readonly name: string
  readonly architecture: 'jamba'
  readonly layers: readonly ('attention' | 'state space')[]
  readonly width: number
  readonly heads: number
  readonly kvHeads: number
  readonly feedForward: number
  readonly stateSize: number
  readonly convolution: number
  readonly timeStepRank: number
  readonly weights: 'f16' | 'q8_0'
  readonly vocabulary: number
  readonly merges: number
  readonly contextTokens: number
  readonly seed: number
}

/** The `general.*` and architecture metadata of a shape. */
export function hybridMetadata(shape: HybridShape): [string, GgufValue][] {
  const u32 = (key: string, value: number): [string, GgufValue] => [`jamba.${key}`, { type: 'u32', value }]
  const kvHeads = shape.layers.map((layer) => (layer === 'attention' ? shape.kvHeads : 0))
  return [
    ['general.architecture', { type: 'string', value: shape.architecture }],
    ['general.name', { type: 'string', value: shape.name }],
    ['general.file_type', { type: 'u32', value: { f16: 1, q8_0: 7 }[shape.weights] }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ['general.incipit.synthetic', { type: 'bool', value: true }],
    u32('block_count', shape.layers.length),
    u32('context_length', shape.contextTokens),
    u32('embedding_length', shape.width),
    u32('feed_forward_length', shape.feedForward),
    u32('attention.head_count', shape.heads),
    ['jamba.attention.head_count_kv', { type: 'array', of: 'i32', values: kvHeads }],
    u32('vocab_size', shape.vocabulary),
    u32('ssm.conv_kernel', shape.convolution),
    u32('ssm.inner_size', 2 * shape.width),
    u32('ssm.state_size', shape.stateSize),
    u32('ssm.time_step_rank', shape.timeStepRank),
    ['jamba.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
  ]
}

/** Every tensor of a shape, random where that keeps activations near 1. */
export function hybridTensors(shape: HybridShape): TensorSource[] {
  const tensors = new TensorList(shape)
  const { width } = shape
  tensors.add('token_embd.weight', [width, shape.vocabulary], { gain: 4 })
  tensors.ones('output_norm.weight', width)
  for (const [layer, kind] of shape.layers.entries()) {
    const prefix = `blk.${layer}.`
    tensors.ones(`${prefix}attn_norm.weight`, width)
    if (kind === 'attention') addAttention(shape, prefix, tensors)
    else addStateSpace(shape, prefix, tensors)
    tensors.ones(`${prefix}ffn_norm.weight`, width)
    tensors.add(`${prefix}ffn_gate.weight`, [width, shape.feedForward])
    tensors.add(`${prefix}ffn_up.weight`, [width, shape.feedForward])
    tensors.add(`${prefix}ffn_down.weight`, [shape.feedForward, width])
  }
  return tensors.all
}

function addAttention({ width, heads, kvHeads }: HybridShape, prefix: string, tensors: TensorList): void {
  const keyValue = (width / heads) * kvHeads
  tensors.add(`${prefix}attn_q.weight`, [width, width], { gain: 1.4 })
  tensors.add(`${prefix}attn_k.weight`, [width, keyValue], { gain: 1.4 })
  tensors.add(`${prefix}attn_v.weight`, [width, keyValue])
  tensors.add(`${prefix}attn_output.weight`, [width, width], { gain: 2 })
}

function addStateSpace(
  { width, stateSize, timeStepRank, convolution }: HybridShape,
  prefix: string,
  tensors: TensorList,
): void {
  // llama.cpp takes no other ratio.
  const inner = 2 * width
  tensors.add(`${prefix}ssm_in.weight`, [width, 2 * inner])
  tensors.add(`${prefix}ssm_conv1d.weight`, [convolution, inner], { type: 'f32' })
  tensors.add(`${prefix}ssm_conv1d.bias`, [inner], { type: 'f32' })
  tensors.add(`${prefix}ssm_x.weight`, [inner, timeStepRank + 2 * stateSize])
  tensors.ones(`${prefix}ssm_dt_norm.weight`, timeStepRank)
  tensors.add(`${prefix}ssm_dt.weight`, [timeStepRank, inner], { type: 'f16' })
  tensors.add(`${prefix}ssm_dt.bias`, [inner], { type: 'f32' })
  tensors.ones(`${prefix}ssm_b_norm.weight`, stateSize)
  tensors.ones(`${prefix}ssm_c_norm.weight`, stateSize)
  tensors.decay(`${prefix}ssm_a`, stateSize, inner)
  tensors.ones(`${prefix}ssm_d`, inner)
  tensors.add(`${prefix}ssm_out.weight`, [inner, width], { gain: 2 })
}
