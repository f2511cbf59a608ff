import { halfBits } from './half.ts'
import { randomWords, signedUnit } from './random.ts'
import { writableTypes } from './tensor-types.ts'
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
  const tensors: TensorSource[] = []
  const width = shape.width
  const weights = shape.weights
  const add = (name: string, dims: number[], options: { gain?: number; type?: typeof weights | 'f32' } = {}): void => {
    const type = options.type ?? weights
    const deviation = (options.gain ?? 1) / Math.sqrt(dims[0] as number)
    const seed = shape.seed * 7_919 + tensors.length * 104_729 + 17
    tensors.push({
      name,
      dims,
      type: writableTypes[type],
      fill: (target) => fillRandom(target, { type, deviation, seed }),
    })
  }
  const norm = (name: string, size: number): void => void tensors.push(onesTensor(name, size))
  add('token_embd.weight', [width, shape.vocabulary], { gain: 4 })
  norm('output_norm.weight', width)
  if (!shape.tiedOutput) add('output.weight', [width, shape.vocabulary], { gain: 2 })
  for (let layer = 0; layer < shape.layers; layer++) addLayer({ shape, prefix: `blk.${layer}.`, add, norm })
  return tensors
}

/** A normalisation weight that changes nothing. */
export function onesTensor(name: string, size: number): TensorSource {
  return {
    name,
    dims: [size],
    type: writableTypes.f32,
    fill: (target) => void new Float32Array(target.buffer, target.byteOffset, size).fill(1),
  }
}

function addLayer(options: {
  readonly shape: ModelShape
  readonly prefix: string
  readonly add: (name: string, dims: number[], options?: { gain?: number; type?: 'f32' }) => void
  readonly norm: (name: string, size: number) => void
}): void {
  const { shape, prefix, add, norm } = options
  const query = shape.heads * shape.headWidth
  const keyValue = shape.kvHeads * shape.headWidth
  norm(`${prefix}attn_norm.weight`, shape.width)
  add(`${prefix}attn_q.weight`, [shape.width, query], { gain: 1.4 })
  add(`${prefix}attn_k.weight`, [shape.width, keyValue], { gain: 1.4 })
  add(`${prefix}attn_v.weight`, [shape.width, keyValue])
  add(`${prefix}attn_output.weight`, [query, shape.width], { gain: 2 })
  if (shape.architecture === 'qwen2') {
    add(`${prefix}attn_q.bias`, [query], { type: 'f32' })
    add(`${prefix}attn_k.bias`, [keyValue], { type: 'f32' })
    add(`${prefix}attn_v.bias`, [keyValue], { type: 'f32' })
  }
  if (shape.architecture === 'gemma3') {
    norm(`${prefix}attn_q_norm.weight`, shape.headWidth)
    norm(`${prefix}attn_k_norm.weight`, shape.headWidth)
    norm(`${prefix}post_attention_norm.weight`, shape.width)
    norm(`${prefix}post_ffw_norm.weight`, shape.width)
  }
  norm(`${prefix}ffn_norm.weight`, shape.width)
  add(`${prefix}ffn_gate.weight`, [shape.width, shape.feedForward])
  add(`${prefix}ffn_up.weight`, [shape.width, shape.feedForward])
  add(`${prefix}ffn_down.weight`, [shape.feedForward, shape.width])
}

/** Uniform numbers of the given standard deviation. */
export function fillRandom(
  target: Uint8Array<ArrayBuffer>,
  options: { readonly type: 'f32' | 'f16' | 'q4_0' | 'q8_0'; readonly deviation: number; readonly seed: number },
): void {
  const next = randomWords(options.seed)
  // A uniform number in [-1, 1) has the deviation 1 / sqrt(3).
  const scale = options.deviation * Math.sqrt(3)
  if (options.type === 'f32') {
    const values = new Float32Array(target.buffer, target.byteOffset, target.length / 4)
    for (let index = 0; index < values.length; index++) values[index] = signedUnit(next) * scale
  } else if (options.type === 'f16') {
    const values = new Uint16Array(target.buffer, target.byteOffset, target.length / 2)
    for (let index = 0; index < values.length; index++) values[index] = halfBits(signedUnit(next) * scale)
  } else {
    fillBlocks(target, { next, block: writableTypes[options.type].bytes, deviation: options.deviation })
  }
}

/** Quantised blocks: random integers under one fixed scale, many times faster than quantising numbers. */
function fillBlocks(
  target: Uint8Array<ArrayBuffer>,
  options: { readonly next: () => number; readonly block: number; readonly deviation: number },
): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length >>> 2)
  for (let index = 0; index < words.length; index++) words[index] = options.next()
  for (let index = words.length * 4; index < target.length; index++) target[index] = options.next() & 255
  // Deviation of a uniform signed byte (Q8_0), or of a uniform nibble minus 8 (Q4_0).
  const scale = halfBits(options.deviation / (options.block === 34 ? 73.9 : 4.6))
  for (let at = 0; at < target.length; at += options.block) {
    target[at] = scale & 255
    target[at + 1] = scale >>> 8
  }
}
