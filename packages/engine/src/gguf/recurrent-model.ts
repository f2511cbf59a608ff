import { TensorList } from './tensor-list.ts'
import type { GgufValue, TensorSource } from './write.ts'

/** The dimensions of a Mamba model: every layer is a state space, none is attention. */
export interface RecurrentShape {
  readonly name: string
  readonly architecture: 'mamba'
  readonly layers: number
  readonly width: number
  readonly stateSize: number
  readonly convolution: number
  readonly timeStepRank: number
  readonly vocabulary: number
  readonly merges: number
  readonly contextTokens: number
  readonly seed: number
}

/** The `general.*` and architecture metadata of a shape. */
export function recurrentMetadata(shape: RecurrentShape): [string, GgufValue][] {
  const u32 = (key: string, value: number): [string, GgufValue] => [`mamba.${key}`, { type: 'u32', value }]
  return [
    ['general.architecture', { type: 'string', value: shape.architecture }],
    ['general.name', { type: 'string', value: shape.name }],
    ['general.file_type', { type: 'u32', value: 1 }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ['general.incipit.synthetic', { type: 'bool', value: true }],
    u32('block_count', shape.layers),
    u32('context_length', shape.contextTokens),
    u32('embedding_length', shape.width),
    u32('feed_forward_length', 0),
    u32('attention.head_count', 0),
    u32('vocab_size', shape.vocabulary),
    u32('ssm.conv_kernel', shape.convolution),
    u32('ssm.inner_size', innerSize(shape)),
    u32('ssm.state_size', shape.stateSize),
    u32('ssm.time_step_rank', shape.timeStepRank),
    ['mamba.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
  ]
}

/** Every tensor of a shape, random where that keeps activations near 1. */
export function recurrentTensors(shape: RecurrentShape): TensorSource[] {
  const tensors = new TensorList({ weights: 'f16', seed: shape.seed })
  const { width, stateSize, timeStepRank } = shape
  const inner = innerSize(shape)
  tensors.add('token_embd.weight', [width, shape.vocabulary], { gain: 4 })
  tensors.ones('output_norm.weight', width)
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `blk.${layer}.`
    tensors.ones(`${prefix}attn_norm.weight`, width)
    tensors.add(`${prefix}ssm_in.weight`, [width, 2 * inner])
    tensors.add(`${prefix}ssm_conv1d.weight`, [shape.convolution, inner], { type: 'f32' })
    tensors.add(`${prefix}ssm_conv1d.bias`, [inner], { type: 'f32' })
    tensors.add(`${prefix}ssm_x.weight`, [inner, timeStepRank + 2 * stateSize])
    tensors.add(`${prefix}ssm_dt.weight`, [timeStepRank, inner])
    tensors.add(`${prefix}ssm_dt.bias`, [inner], { type: 'f32' })
    tensors.decay(`${prefix}ssm_a`, stateSize, inner)
    tensors.ones(`${prefix}ssm_d`, inner)
    tensors.add(`${prefix}ssm_out.weight`, [inner, width], { gain: 2 })
  }
  return tensors.all
}

/** llama.cpp takes no other ratio. */
function innerSize({ width }: RecurrentShape): number {
  return 2 * width
}
