import { fillRandom, onesTensor } from './dense-model.ts'
import { writableTypes } from './tensor-types.ts'
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
  const tensors: TensorSource[] = []
  const { width, stateSize, timeStepRank } = shape
  const inner = innerSize(shape)
  const add = (name: string, dims: number[], options: { gain?: number; type?: 'f16' | 'f32' } = {}): void => {
    const type = options.type ?? 'f16'
    const deviation = (options.gain ?? 1) / Math.sqrt(dims[0] as number)
    const seed = shape.seed * 7_919 + tensors.length * 104_729 + 17
    tensors.push({
      name,
      dims,
      type: writableTypes[type],
      fill: (target) => fillRandom(target, { type, deviation, seed }),
    })
  }
  add('token_embd.weight', [width, shape.vocabulary], { gain: 4 })
  tensors.push(onesTensor('output_norm.weight', width))
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `blk.${layer}.`
    tensors.push(onesTensor(`${prefix}attn_norm.weight`, width))
    add(`${prefix}ssm_in.weight`, [width, 2 * inner])
    add(`${prefix}ssm_conv1d.weight`, [shape.convolution, inner], { type: 'f32' })
    add(`${prefix}ssm_conv1d.bias`, [inner], { type: 'f32' })
    add(`${prefix}ssm_x.weight`, [inner, timeStepRank + 2 * stateSize])
    add(`${prefix}ssm_dt.weight`, [timeStepRank, inner])
    add(`${prefix}ssm_dt.bias`, [inner], { type: 'f32' })
    tensors.push(decayTensor(`${prefix}ssm_a`, stateSize, inner), onesTensor(`${prefix}ssm_d`, inner))
    add(`${prefix}ssm_out.weight`, [inner, width], { gain: 2 })
  }
  return tensors
}

/** llama.cpp takes no other ratio. */
function innerSize({ width }: RecurrentShape): number {
  return 2 * width
}

/** How fast each part of the state fades: what is not negative would grow without end. */
function decayTensor(name: string, stateSize: number, inner: number): TensorSource {
  return {
    name,
    dims: [stateSize, inner],
    type: writableTypes.f32,
    fill: (target) => {
      const values = new Float32Array(target.buffer, target.byteOffset, stateSize * inner)
      for (let index = 0; index < values.length; index++) values[index] = -(1 + (index % stateSize)) / stateSize
    },
  }
}
